/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <ctype.h>

/* n number, s string, b boolean, a array; in capitals: or null. */
struct field {
  const char *key;
  char kind;
};

static const struct field why_fields[] = {{"at", 's'},    {"file", 'S'},    {"pid", 'N'},     {"verdict", 's'},
                                          {"text", 's'},  {"holders", 'a'}, {"waiters", 'a'}, {"openers", 'a'},
                                          {"links", 'a'}, {"cycle", 'a'},   {"unknown", 'a'}, {NULL, 0}};
static const struct field holders_fields[] = {{"at", 's'},      {"file", 's'},    {"verdict", 's'}, {"holders", 'a'},
                                              {"waiters", 'a'}, {"openers", 'a'}, {"unknown", 'a'}, {NULL, 0}};
static const struct field leaks_fields[] = {{"at", 's'}, {"pid", 'n'}, {"leaks", 'a'}, {"unknown", 'a'}, {NULL, 0}};
static const struct field holder_fields[] = {{"pid", 'n'},    {"name", 'S'},   {"method", 'S'}, {"mode", 'S'},
                                             {"fd", 'N'},     {"via", 'S'},    {"since", 'S'},  {"state", 'S'},
                                             {"offset", 'n'}, {"length", 'n'}, {NULL, 0}};
static const struct field link_fields[] = {{"pid", 'n'},     {"name", 'S'},     {"thread", 'N'},   {"waits", 's'},
                                           {"for_pid", 'N'}, {"for_name", 'S'}, {"fd", 'N'},       {"what", 'S'},
                                           {"since", 'S'},   {"limit_ms", 'N'}, {"in_cycle", 'b'}, {NULL, 0}};
static const struct field step_fields[] = {{"pid", 'n'},  {"name", 'S'},    {"waits", 's'},
                                           {"what", 'S'}, {"for_pid", 'N'}, {NULL, 0}};
static const struct field leak_fields[] = {{"fd", 'n'},          {"kind", 's'},     {"what", 'S'}, {"lock_mode", 'S'},
                                           {"lock_method", 'S'}, {"standard", 'b'}, {NULL, 0}};

static bool is_of(const cJSON *value, char kind) {
  if (cJSON_IsNull(value)) return isupper((unsigned char)kind) != 0;
  switch (tolower((unsigned char)kind)) {
  case 'n':
    return cJSON_IsNumber(value);
  case 's':
    return cJSON_IsString(value);
  case 'b':
    return cJSON_IsBool(value);
  default:
    return cJSON_IsArray(value);
  }
}

static void check_fields(const cJSON *object, const struct field *fields, int besides) {
  int count = 0;

  for (; fields->key != NULL; fields++, count++) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, fields->key);
    if (!is_of(value, fields->kind)) fail_msg("the field %s is not there, or of another kind", fields->key);
  }
  assert_int_equal(cJSON_GetArraySize(object), count + besides); /* and no other */
}

static void check_elements(const cJSON *answer, const char *key, const struct field *fields) {
  const cJSON *element;

  cJSON_ArrayForEach(element, cJSON_GetObjectItemCaseSensitive(answer, key)) {
    if (fields == NULL)
      assert_true(cJSON_IsString(element));
    else
      check_fields(element, fields, 0);
  }
}

cJSON *answer_of(const char *text, const char *schema) {
  const char *end;
  cJSON *answer = cJSON_ParseWithOpts(text, &end, 0);

  if (answer == NULL) fail_msg("this is not JSON: %s", text);
  assert_string_equal(end + (end[0] == '\r'), "\n"); /* Windows' text files have both */
  assert_string_equal(answer_words(answer, "schema"), schema);
  check_fields(answer,
               strstr(schema, "why") != NULL       ? why_fields
               : strstr(schema, "holders") != NULL ? holders_fields
                                                   : leaks_fields,
               1);
  check_elements(answer, "holders", holder_fields);
  check_elements(answer, "waiters", holder_fields);
  check_elements(answer, "openers", holder_fields);
  check_elements(answer, "links", link_fields);
  check_elements(answer, "cycle", step_fields);
  check_elements(answer, "leaks", leak_fields);
  check_elements(answer, "unknown", NULL);
  return answer;
}

const char *answer_words(const cJSON *object, const char *key) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

  return cJSON_IsString(value) ? value->valuestring : "";
}

const cJSON *answer_process(const cJSON *answer, const char *key, int64_t pid) {
  const cJSON *element;

  cJSON_ArrayForEach(element, cJSON_GetObjectItemCaseSensitive(answer, key)) {
    if ((int64_t)cJSON_GetObjectItemCaseSensitive(element, "pid")->valuedouble == pid) return element;
  }
  return NULL;
}
