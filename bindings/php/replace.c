/* SPDX-License-Identifier: MIT */
#include "replace.h"

static const struct safehold_replacement *const all[] = {
  &safehold_replacement_flock,      &safehold_replacement_proc_open, &safehold_replacement_exec,
  &safehold_replacement_shell_exec, &safehold_replacement_system,    &safehold_replacement_passthru,
  &safehold_replacement_popen,      &safehold_replacement_session,   &safehold_replacement_cloexec,
};
#define COUNT (sizeof(all) / sizeof(all[0]))

static bool in_effect[COUNT];
static char names[128] = "none";

zend_result safehold_replace_function(const char *name, zif_handler with, zif_handler *original) {
  zend_function *function = zend_hash_str_find_ptr(CG(function_table), name, strlen(name));

  /* disable_functions takes a function out of the table. */
  if (function == NULL || function->type != ZEND_INTERNAL_FUNCTION) return FAILURE;
  if (original != NULL) *original = function->internal_function.handler;
  function->internal_function.handler = with;
  return SUCCESS;
}

static bool names_one(const char *word, size_t length, size_t which) {
  return (strlen(all[which]->name) == length && strncasecmp(word, all[which]->name, length) == 0) ||
         (length == 3 && strncasecmp(word, "all", 3) == 0);
}

static zend_result mark(const char *word, size_t length) {
  bool known = (length == 4 && strncasecmp(word, "none", 4) == 0);
  size_t at;

  for (at = 0; at < COUNT; at++)
    if (names_one(word, length, at)) known = in_effect[at] = true;
  if (known) return SUCCESS;
  zend_error(E_CORE_ERROR, "safehold.replace: there is nothing called \"%.*s\" to replace", (int)length, word);
  return FAILURE;
}

static void note_names(void) {
  size_t at, length = 0;

  strcpy(names, "none"); /* also where PHP is started once more in this process, with other settings */
  for (at = 0; at < COUNT; at++)
    if (in_effect[at])
      length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", length > 0 ? ", " : "", all[at]->name);
}

zend_result safehold_replace_all(const char *list) {
  size_t at, length;

  memset(in_effect, 0, sizeof(in_effect));
  for (; list != NULL && *list != '\0'; list += length) {
    list += strspn(list, ", \t");
    length = strcspn(list, ", \t");
    if (length > 0 && mark(list, length) != SUCCESS) return FAILURE;
  }
  for (at = 0; at < COUNT; at++)
    if (in_effect[at] && all[at]->apply() != SUCCESS) in_effect[at] = false;
  note_names();
  return SUCCESS;
}

const char *safehold_replaced(void) { return names; }

void safehold_replace_none(void) {
  size_t at;

  for (at = COUNT; at-- > 0;)
    if (in_effect[at] && all[at]->undo != NULL) all[at]->undo();
  memset(in_effect, 0, sizeof(in_effect));
}
