/* SPDX-License-Identifier: MIT */
/* The structs of inspect.h: read and checked here, and nowhere else (see options.c). */
#include "options.h"

static int check_bounded(int64_t timeout_ms, const char *name, safe_error *error) {
  if (timeout_ms >= 0) return SAFE_OK;
  return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                    "%s is %lld: it must be a number of milliseconds, as a look has to end.", name,
                    (long long)timeout_ms);
}

static int check_pid(int64_t pid, safe_error *error) {
  if (pid >= 0) return SAFE_OK;
  return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "%lld is no number of a process.", (long long)pid);
}

int safe__read_audit_options(safe_audit_options *into, const safe_audit_options *from, safe_error *error) {
  static const safe_audit_options defaults = SAFE_AUDIT_OPTIONS_INIT;
  int code;

  *into = defaults;
  if (from == NULL) return SAFE_OK;
  code = safe__read_struct(into, sizeof(*into), from, "safe_audit_options", error);
  if (code == SAFE_OK) code = safe__check_flags(into->flags, SAFE_AUDIT_STANDARD, "safe_audit_options", error);
  if (code == SAFE_OK) code = check_pid(into->pid, error);
  if (code == SAFE_OK) code = check_bounded(into->timeout_ms, "The audit timeout", error);
  return code;
}

int safe__read_explain_options(safe_explain_options *into, const safe_explain_options *from, safe_error *error) {
  static const safe_explain_options defaults = SAFE_EXPLAIN_OPTIONS_INIT;
  int code = SAFE_OK;

  *into = defaults;
  if (from != NULL) code = safe__read_struct(into, sizeof(*into), from, "safe_explain_options", error);
  if (code == SAFE_OK) code = safe__check_flags(into->flags, 0, "safe_explain_options", error);
  if (code == SAFE_OK) code = check_pid(into->pid, error);
  if (code == SAFE_OK && (into->path == NULL) == (into->pid == 0))
    code = safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                      "What is to be explained is a path or the number of a process: one of them.");
  if (code == SAFE_OK && into->path != NULL) code = safe__check_path(into->path, error);
  if (code == SAFE_OK) code = check_bounded(into->timeout_ms, "The timeout for explaining", error);
  return code;
}
