/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"
#include "words.h"

/* One answer in the making. What there is no memory for is left out, and the whole is given up in the end. */
struct draft {
  cJSON *top;
  bool no_memory;
};

static void check(struct draft *draft, const void *made) {
  if (made == NULL) draft->no_memory = true;
}

/* NULL and "": null. */
static void add_words(struct draft *draft, cJSON *object, const char *key, const char *words) {
  char *clean;

  if (words == NULL || words[0] == '\0') {
    check(draft, cJSON_AddNullToObject(object, key));
    return;
  }
  clean = text_clean(words, false);
  check(draft, clean == NULL ? NULL : cJSON_AddStringToObject(object, key, clean));
  free(clean);
}

/* In full: cJSON keeps a number as a double, and the byte where a lock begins may be any up to 2^63 - 1. */
static void add_number(struct draft *draft, cJSON *object, const char *key, int64_t number) {
  char digits[24];

  snprintf(digits, sizeof(digits), "%" PRId64, number);
  check(draft, cJSON_AddRawToObject(object, key, digits));
}

static void add_known(struct draft *draft, cJSON *object, const char *key, int64_t number, bool known) {
  if (known)
    add_number(draft, object, key, number);
  else
    check(draft, cJSON_AddNullToObject(object, key));
}

static void add_time(struct draft *draft, cJSON *object, const char *key, int64_t ms) {
  char time[TEXT_TIME_SIZE];

  add_words(draft, object, key, text_time(ms, time));
}

static cJSON *add_array(struct draft *draft, const char *key) {
  cJSON *array = cJSON_AddArrayToObject(draft->top, key);

  check(draft, array);
  return array;
}

static cJSON *add_element(struct draft *draft, cJSON *array) {
  cJSON *element = cJSON_CreateObject();

  check(draft, element);
  if (cJSON_AddItemToArray(array, element)) return element;
  cJSON_Delete(element);
  return NULL; /* to which nothing can be added, without harm */
}

static void add_sentence(struct draft *draft, cJSON *array, const char *sentence) {
  char *clean = sentence == NULL ? NULL : text_clean(sentence, false);
  cJSON *element = clean == NULL ? NULL : cJSON_CreateString(clean);

  free(clean);
  if (sentence == NULL) return;
  check(draft, element);
  if (!cJSON_AddItemToArray(array, element)) cJSON_Delete(element);
}

static void begin(struct draft *draft, const char *schema) {
  draft->top = cJSON_CreateObject();
  draft->no_memory = draft->top == NULL;
  add_words(draft, draft->top, "schema", schema);
  add_time(draft, draft->top, "at", cli_now_ms());
}

static cJSON *finish(struct draft *draft) {
  if (!draft->no_memory) return draft->top;
  cJSON_Delete(draft->top);
  return NULL;
}

static void add_holder(struct draft *draft, cJSON *array, const safe_holder *holder) {
  const char state[] = {(char)holder->state, '\0'};
  cJSON *object = add_element(draft, array);

  add_number(draft, object, "pid", holder->pid);
  add_words(draft, object, "name", holder->name);
  add_words(draft, object, "method", word_of_method(holder->method));
  add_words(draft, object, "mode", word_of_mode(holder->mode));
  add_known(draft, object, "fd", holder->handle, holder->handle >= 0);
  add_words(draft, object, "via", word_of_via(holder->via));
  add_time(draft, object, "since", holder->since_ms);
  add_words(draft, object, "state", state);
  add_number(draft, object, "offset", holder->offset);
  add_number(draft, object, "length", holder->length);
}

static void add_holders(struct draft *draft, const safe_holder_list *holders) {
  static const char *const keys[] = {
    [SAFE_HOLDER_HOLDS] = "holders", [SAFE_HOLDER_WAITS] = "waiters", [SAFE_HOLDER_OPENS] = "openers"};
  const safe_holder *holder;
  size_t at;
  int32_t role;

  for (role = 0; role < (int32_t)(sizeof(keys) / sizeof(keys[0])); role++) {
    cJSON *array = add_array(draft, keys[role]);
    for (at = 0; (holder = safe_holder_list_get(holders, at)) != NULL; at++)
      if (holder->role == role) add_holder(draft, array, holder);
  }
}

static void add_links(struct draft *draft, const safe_explanation *why) {
  cJSON *array = add_array(draft, "links");
  const safe_link *link;
  size_t at;

  for (at = 0; why != NULL && (link = safe_explanation_link(why, at)) != NULL; at++) {
    cJSON *object = add_element(draft, array);
    add_number(draft, object, "pid", link->pid);
    add_words(draft, object, "name", link->name);
    add_known(draft, object, "thread", link->thread, link->thread != 0);
    add_words(draft, object, "waits", word_of_waits(link->waits));
    add_known(draft, object, "for_pid", link->other, link->other != 0);
    add_words(draft, object, "for_name", link->other_name);
    add_known(draft, object, "fd", link->handle, link->handle >= 0);
    add_words(draft, object, "what", link->what);
    add_time(draft, object, "since", link->since_ms);
    add_known(draft, object, "limit_ms", link->limit_ms, link->limit_ms >= 0);
    check(draft, cJSON_AddBoolToObject(object, "in_cycle", link->in_cycle));
  }
}

/* The step of the cycle that begins with this process; or, if there is none, NULL. */
static const safe_link *step_of(const safe_explanation *why, int64_t pid) {
  const safe_link *link;
  size_t at;

  for (at = 0; (link = safe_explanation_link(why, at)) != NULL; at++)
    if (link->in_cycle && (pid == 0 || link->pid == pid)) return link;
  return NULL;
}

/* Each step leads to the next, and the last one to the first. */
static void add_cycle(struct draft *draft, const safe_explanation *why) {
  cJSON *array = add_array(draft, "cycle");
  const safe_link *first = why == NULL ? NULL : step_of(why, 0);
  const safe_link *link = first;
  size_t steps = why == NULL ? 0 : safe_explanation_link_count(why); /* no more, whatever they say */

  while (link != NULL && steps-- > 0) {
    cJSON *object = add_element(draft, array);
    add_number(draft, object, "pid", link->pid);
    add_words(draft, object, "name", link->name);
    add_words(draft, object, "waits", word_of_waits(link->waits));
    add_words(draft, object, "what", link->what);
    add_known(draft, object, "for_pid", link->other, link->other != 0);
    link = link->other == first->pid ? NULL : step_of(why, link->other);
  }
}

cJSON *json_why(const char *file, int64_t pid, const safe_explanation *why, const char *failure) {
  const char *found = why == NULL ? NULL : safe_explanation_file(why);
  struct draft draft;
  cJSON *unknown;
  size_t at;

  begin(&draft, "safehold.why/1");
  add_words(&draft, draft.top, "file", found == NULL ? file : found);
  add_known(&draft, draft.top, "pid", pid, pid != 0);
  add_words(&draft, draft.top, "verdict",
            word_of_verdict(why == NULL ? SAFE_VERDICT_UNKNOWN : safe_explanation_verdict(why)));
  add_words(&draft, draft.top, "text", why == NULL ? failure : safe_explanation_text(why));
  add_holders(&draft, why == NULL ? NULL : safe_explanation_holders(why));
  add_links(&draft, why);
  add_cycle(&draft, why);
  unknown = add_array(&draft, "unknown");
  add_sentence(&draft, unknown, failure);
  for (at = 0; why != NULL && at < safe_explanation_unknown_count(why); at++)
    add_sentence(&draft, unknown, safe_explanation_unknown(why, at));
  return finish(&draft);
}

cJSON *json_holders(const char *file, const safe_holder_list *holders, int32_t verdict, const char *failure) {
  struct draft draft;
  cJSON *unknown;

  begin(&draft, "safehold.holders/1");
  add_words(&draft, draft.top, "file", file);
  add_words(&draft, draft.top, "verdict", word_of_verdict(verdict));
  add_holders(&draft, holders);
  unknown = add_array(&draft, "unknown");
  add_sentence(&draft, unknown, failure);
  add_sentence(&draft, unknown, safe_holder_list_unknown(holders));
  return finish(&draft);
}

cJSON *json_leaks(int64_t pid, const safe_handle_list *leaks, const char *failure) {
  struct draft draft;
  const safe_leak *leak;
  cJSON *array, *unknown;
  size_t at;

  begin(&draft, "safehold.leaks/1");
  add_known(&draft, draft.top, "pid", pid, pid != 0);
  array = add_array(&draft, "leaks");
  for (at = 0; (leak = safe_handle_list_get(leaks, at)) != NULL; at++) {
    cJSON *object = add_element(&draft, array);
    add_number(&draft, object, "fd", leak->handle);
    add_words(&draft, object, "kind", word_of_kind(leak->kind));
    add_words(&draft, object, "what", leak->what);
    add_words(&draft, object, "lock_mode", word_of_mode(leak->lock_mode));
    add_words(&draft, object, "lock_method", word_of_method(leak->lock_method));
    check(&draft, cJSON_AddBoolToObject(object, "standard", leak->standard));
  }
  unknown = add_array(&draft, "unknown");
  add_sentence(&draft, unknown, failure);
  add_sentence(&draft, unknown, safe_handle_list_unknown(leaks));
  return finish(&draft);
}
