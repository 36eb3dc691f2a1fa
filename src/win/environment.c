/* SPDX-License-Identifier: MIT */
/*
 * The environment block: NUL-terminated strings, sorted by name without regard to case, as the system's own search
 * expects. Of two strings of one name the last counts; one without a sign takes the name away. "=C:=C:\folder" is the
 * current directory of drive C, and a name like any other. SystemRoot is added where it is missing, or was taken away:
 * without it Winsock and the random numbers fail.
 */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "program.h"

struct variable {
  wchar_t *text;
  int name_length;
  size_t place; /* in the caller's lists */
};

struct variables {
  struct variable *items;
  size_t count, room;
};

static const wchar_t root_name[] = L"SystemRoot";

static int name_length(const wchar_t *text) {
  const wchar_t *sign = wcschr(text + 1, L'='); /* a name may begin with the sign */

  return sign == NULL ? (int)wcslen(text) : (int)(sign - text);
}

static int compare_names(const struct variable *one, const struct variable *other) {
  return CompareStringOrdinal(one->text, one->name_length, other->text, other->name_length, TRUE) - CSTR_EQUAL;
}

static int compare(const void *first, const void *second) {
  const struct variable *one = first, *other = second;
  int order = compare_names(one, other);

  if (order != 0) return order;
  return one->place < other->place ? -1 : 1;
}

static bool is_removal(const struct variable *variable) { return variable->text[variable->name_length] == L'\0'; }

/* Takes the text over, also when it fails. */
static int add(struct variables *variables, wchar_t *text) {
  size_t room = variables->room > 0 ? variables->room * 2 : 64;
  struct variable *more;

  if (variables->count == variables->room) {
    more = safe__realloc(variables->items, room * sizeof(*more));
    if (more == NULL) {
      safe__free(text);
      return SAFE_ENOMEM;
    }
    variables->items = more;
    variables->room = room;
  }
  more = &variables->items[variables->count];
  more->text = text;
  more->name_length = name_length(text);
  more->place = variables->count++;
  return SAFE_OK;
}

static int add_copy(struct variables *variables, const wchar_t *text) {
  wchar_t *copy = safe__alloc((wcslen(text) + 1) * sizeof(*copy));

  if (copy == NULL) return SAFE_ENOMEM;
  wcscpy(copy, text);
  return add(variables, copy);
}

/* *bad is the place of the string that is none. */
static int add_strings(struct variables *variables, const char *const *strings, int *bad) {
  wchar_t *wide;
  int code;

  for (*bad = 0; strings[*bad] != NULL; ++*bad) {
    code = safe__win_wide(strings[*bad], &wide);
    if (code == SAFE_OK) code = add(variables, wide);
    if (code != SAFE_OK) return code;
  }
  return SAFE_OK;
}

static int add_host(struct variables *variables) {
  wchar_t *block = GetEnvironmentStringsW(), *at;
  int code = block == NULL ? SAFE_ENOMEM : SAFE_OK;

  for (at = block; code == SAFE_OK && *at != L'\0'; at += wcslen(at) + 1) code = add_copy(variables, at);
  if (block != NULL) FreeEnvironmentStringsW(block);
  return code;
}

/* As the host has it, at the end of the list; nothing if it has none. */
static int add_system_root(struct variables *variables) {
  size_t head = sizeof(root_name) / sizeof(root_name[0]); /* the NUL gives way to the sign */
  DWORD length = GetEnvironmentVariableW(root_name, NULL, 0);
  wchar_t *text;

  if (length == 0) return SAFE_OK;
  text = safe__alloc((head + length) * sizeof(*text));
  if (text == NULL) return SAFE_ENOMEM;
  wmemcpy(text, root_name, head);
  text[head - 1] = L'=';
  if (GetEnvironmentVariableW(root_name, text + head, length) < length) return add(variables, text);
  safe__free(text);
  return SAFE_OK;
}

static bool is_root(const struct variable *variable) {
  return CompareStringOrdinal(variable->text, variable->name_length, root_name, -1, TRUE) == CSTR_EQUAL;
}

/* Whether the last word on SystemRoot is a value. */
static bool has_system_root(const struct variables *variables) {
  size_t at;

  for (at = variables->count; at > 0; at--)
    if (is_root(&variables->items[at - 1])) return !is_removal(&variables->items[at - 1]);
  return false;
}

static wchar_t *lay_out(const struct variables *variables) {
  size_t at, used = 0, room = 2; /* a block ends with an empty string, also when it has no other */
  const struct variable *item = variables->items;
  wchar_t *block;

  for (at = 0; at < variables->count; at++) room += wcslen(item[at].text) + 1;
  block = safe__alloc(room * sizeof(*block));
  for (at = 0; block != NULL && at < variables->count; at++) {
    size_t length = wcslen(item[at].text) + 1;

    if (at + 1 < variables->count && compare_names(&item[at], &item[at + 1]) == 0) continue;
    if (is_removal(&item[at])) continue;
    wmemcpy(block + used, item[at].text, length);
    used += length;
  }
  return block;
}

static int gather(struct variables *variables, const char *const *env, const char *const *changes, safe_error *error) {
  const char *what = "Variable";
  int bad = -1, code = env != NULL ? add_strings(variables, env, &bad) : add_host(variables);

  if (code == SAFE_OK && changes != NULL) {
    what = "Change to the environment";
    code = add_strings(variables, changes, &bad);
  }
  if (code == SAFE_OK && !has_system_root(variables)) code = add_system_root(variables);
  if (code == SAFE_ENOMEM) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  if (code != SAFE_OK) return safe__fail(error, code, SAFE_STAGE_PREPARE, bad, "%s %d is not UTF-8.", what, bad);
  return SAFE_OK;
}

int safe__win_environment(const char *const *env, const char *const *changes, wchar_t **block, safe_error *error) {
  struct variables variables = {NULL, 0, 0};
  size_t at;
  int code;

  *block = NULL;
  if (env == NULL && changes == NULL) return SAFE_OK;
  code = gather(&variables, env, changes, error);
  if (code == SAFE_OK) {
    if (variables.count > 0) qsort(variables.items, variables.count, sizeof(*variables.items), compare);
    *block = lay_out(&variables);
    if (*block == NULL) code = safe__fail_memory(error, SAFE_STAGE_PREPARE);
  }
  for (at = 0; at < variables.count; at++) safe__free(variables.items[at].text);
  safe__free(variables.items);
  return code;
}

const wchar_t *safe__win_environment_value(const wchar_t *block, const wchar_t *name) {
  int length = (int)wcslen(name);

  for (; *block != L'\0'; block += wcslen(block) + 1)
    if (name_length(block) == length && block[length] == L'=' &&
        CompareStringOrdinal(block, length, name, length, TRUE) == CSTR_EQUAL)
      return block + length + 1;
  return NULL;
}
