/* SPDX-License-Identifier: MIT */
/*
 * The environment block: NUL-terminated strings, sorted by name without regard to case, as the system's own search
 * expects. Of two strings of one name the last counts. "=C:=C:\folder" is the current directory of drive C, and a
 * name like any other. SystemRoot is added where it is missing: without it Winsock and the random numbers fail.
 */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "program.h"

struct variable {
  wchar_t *text;
  int name_length;
  size_t place; /* in the caller's list */
};

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

static void set(struct variable *variable, wchar_t *text, size_t place) {
  variable->text = text;
  variable->name_length = name_length(text);
  variable->place = place;
}

/* "SystemRoot=..." as the host has it; NULL if it has none, or without memory, which *code tells. */
static wchar_t *system_root(int *code) {
  static const wchar_t name[] = L"SystemRoot";
  size_t head = sizeof(name) / sizeof(name[0]); /* the NUL gives way to the sign */
  DWORD length = GetEnvironmentVariableW(name, NULL, 0);
  wchar_t *text;

  if (length == 0) return NULL;
  text = safe__alloc((head + length) * sizeof(*text));
  if (text == NULL) {
    *code = SAFE_ENOMEM;
    return NULL;
  }
  wmemcpy(text, name, head);
  text[head - 1] = L'=';
  if (GetEnvironmentVariableW(name, text + head, length) < length) return text;
  safe__free(text);
  return NULL;
}

static size_t fill(struct variable *variables, const char *const *env, int *code, int *bad) {
  size_t at, count = 0;
  wchar_t *wide;
  bool root = false;

  for (at = 0; env[at] != NULL; at++) {
    *code = safe__win_wide(env[at], &wide);
    *bad = (int)at;
    if (*code != SAFE_OK) return count;
    set(&variables[count++], wide, at);
    root = root || _wcsnicmp(wide, L"SystemRoot=", 11) == 0;
  }
  wide = root ? NULL : system_root(code);
  if (wide != NULL) set(&variables[count++], wide, at);
  return count;
}

static wchar_t *lay_out(const struct variable *variables, size_t count) {
  size_t at, used = 0, room = 2; /* a block ends with an empty string, also when it has no other */
  wchar_t *block;

  for (at = 0; at < count; at++) room += wcslen(variables[at].text) + 1;
  block = safe__alloc(room * sizeof(*block));
  for (at = 0; block != NULL && at < count; at++) {
    size_t length = wcslen(variables[at].text) + 1;

    if (at + 1 < count && compare_names(&variables[at], &variables[at + 1]) == 0) continue;
    wmemcpy(block + used, variables[at].text, length);
    used += length;
  }
  return block;
}

int safe__win_environment(const char *const *env, wchar_t **block, safe_error *error) {
  struct variable *variables;
  size_t at, count = 0;
  int bad = -1, code = SAFE_OK;

  *block = NULL;
  if (env == NULL) return SAFE_OK;
  while (env[count] != NULL) count++;
  variables = safe__alloc((count + 1) * sizeof(*variables));
  if (variables == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  count = fill(variables, env, &code, &bad);
  if (code == SAFE_OK) {
    qsort(variables, count, sizeof(*variables), compare);
    *block = lay_out(variables, count);
    if (*block == NULL) code = SAFE_ENOMEM;
  }
  for (at = 0; at < count; at++) safe__free(variables[at].text);
  safe__free(variables);
  if (code == SAFE_ENOMEM) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  if (code != SAFE_OK) safe__fail(error, code, SAFE_STAGE_PREPARE, bad, "Variable %d is not UTF-8.", bad);
  return code;
}
