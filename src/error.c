/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "os.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const code_names[] = {
  "SAFE_OK",        "SAFE_EINVAL",  "SAFE_ENEWER",       "SAFE_ENOMEM",  "SAFE_ETIMEDOUT", "SAFE_EBUSY",
  "SAFE_ECANCELED", "SAFE_ESTUCK",  "SAFE_EOWNER",       "SAFE_ELOST",   "SAFE_EDEADLK",   "SAFE_EINTR",
  "SAFE_ENOENT",    "SAFE_EACCES",  "SAFE_EISDIR",       "SAFE_ENOTREG", "SAFE_ESYMLINK",  "SAFE_EREPLACED",
  "SAFE_ENOLCK",    "SAFE_ENOTSUP", "SAFE_EBADF",        "SAFE_ENOEXEC", "SAFE_EMFILE",    "SAFE_EAGAIN",
  "SAFE_EPIPE",     "SAFE_E2BIG",   "SAFE_ENAMETOOLONG", "SAFE_ENOTDIR", "SAFE_EBATCH",    "SAFE_ENOSPC",
  "SAFE_ESYSTEM",   "SAFE_ESRCH",
};
_Static_assert(COUNT(code_names) == 1 - SAFE_ESRCH, "every code has a name");

static const char *const stage_names[] = {
  "no stage",
  "reading the arguments",
  "opening the lock file",
  "comparing the locked file with the path",
  "asking for the lock",
  "waiting",
  "giving the lock back",
  "looking for the program",
  "preparing the child",
  "making a pipe",
  "making the process",
  "giving the child its own descriptors",
  "putting a standard stream in place",
  "putting a listed handle in place",
  "making the process group",
  "changing the working directory",
  "starting the program",
  "making the job object",
  "reading the child's output",
  "writing the child's input",
  "ending the process",
  "looking at locks and processes",
  "setting up the terminal",
  "setting a resource limit",
  "changing the priority",
  "setting the supplementary groups",
  "changing the group",
  "changing the user",
  "giving up new privileges",
  "making the cgroup",
  "making the guard process",
  "making the proxy parent",
};
_Static_assert(COUNT(stage_names) == SAFE_STAGE_PROXY + 1, "every stage has a name");

const char *safe_code_name(int code) { return code > 0 || code < SAFE_ESRCH ? "SAFE_?" : code_names[-code]; }

const char *safe_stage_name(int stage) {
  return stage < 0 || stage > SAFE_STAGE_PROXY ? "an unknown stage" : stage_names[stage];
}

void safe__error_clear(safe_error *error) {
  error->size = sizeof(*error);
  error->code = SAFE_OK;
  error->stage = SAFE_STAGE_NONE;
  error->index = -1;
  error->os_code = 0;
  error->holder_pid = 0;
  error->message[0] = '\0';
}

static void add(safe_error *error, const char *format, va_list arguments) {
  size_t length = strlen(error->message);

  /* vsnprintf cuts a message that does not fit: a cut sentence is better than none. */
  vsnprintf(error->message + length, sizeof(error->message) - length, format, arguments);
}

void safe__add(safe_error *error, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  add(error, format, arguments);
  va_end(arguments);
}

static int fill(safe_error *error, int code, int stage, int index, int64_t os_code, const char *format,
                va_list arguments) {
  safe__error_clear(error);
  error->code = code;
  error->stage = stage;
  error->index = index;
  error->os_code = os_code;
  add(error, format, arguments);
  return code;
}

int safe__fail(safe_error *error, int code, int stage, int index, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  fill(error, code, stage, index, 0, format, arguments);
  va_end(arguments);
  return code;
}

int safe__fail_os(safe_error *error, int64_t os_code, int stage, int index, const char *format, ...) {
  char words[128];
  va_list arguments;
  int code = safe__os_translate(os_code);

  va_start(arguments, format);
  fill(error, code, stage, index, os_code, format, arguments);
  va_end(arguments);
  safe__os_describe(os_code, words, sizeof(words));
  safe__add(error, ": %s (%s, system error %lld).", words, safe_stage_name(stage), (long long)os_code);
  return code;
}

int safe__fail_memory(safe_error *error, int stage) {
  return safe__fail(error, SAFE_ENOMEM, stage, -1, "There is not enough memory for %s.", safe_stage_name(stage));
}

SAFE__ON_GRANT int safe__deliver(safe_error *caller, const safe_error *error, int code) {
  if (code != SAFE_OK) safe__write_out(caller, error, sizeof(*error));
  return code;
}
