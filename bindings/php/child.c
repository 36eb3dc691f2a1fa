/* SPDX-License-Identifier: MIT */
#include "child.h"

#ifdef PHP_WIN32
#include <io.h>
#else
#include <poll.h>
#include <unistd.h>
#endif

#include "zend_virtual_cwd.h"

void safehold_child_options(safe_spawn_options *options) {
  *options = (safe_spawn_options)SAFE_SPAWN_OPTIONS_INIT;
  options->flags = SAFE_SPAWN_KEEP_IGNORED;
#ifndef PHP_WIN32
  /* A program in another group than the terminal's is stopped when it reads from it. */
  if (isatty(STDIN_FILENO)) options->group = SAFE_GROUP_HOST;
#endif
#ifdef VIRTUAL_DIR
  options->cwd = CWDG(cwd).cwd_length > 0 ? CWDG(cwd).cwd : "/";
#endif
}

php_stream *safehold_child_stream(safe_process *process, int stream) {
  safe_handle handle = safe_process_take_pipe(process, stream);
  int fd;

  if (handle == SAFE_INVALID_HANDLE) return NULL;
#ifdef PHP_WIN32
  fd = _open_osfhandle((intptr_t)handle, stream == 0 ? _O_WRONLY | _O_BINARY : _O_RDONLY | _O_BINARY);
#else
  fd = handle;
#endif
  return php_stream_fopen_from_fd(fd, stream == 0 ? "w" : "r", NULL);
}

#define LOOK_MS 100 /* the part of a wait that safe_process_wait itself has to do to tell what the child does */
#define SLEEP_MS 1000
#define STEP_MS 20 /* between two looks where there is no handle to poll: Linux before 5.3 */

/* Sleeps until the child has ended, `ms` have passed, or a signal has come; true, if not because of the child's end.
   A signal that came just before the system call does not end it, so its handlers may wait for a second. */
static bool sleep_on(safe_process *process, int64_t ms) {
  safe_handle handle = safe_process_exit_handle(process);
#ifdef PHP_WIN32
  return WaitForSingleObjectEx(handle, ms < 0 || ms > SLEEP_MS ? SLEEP_MS : (DWORD)ms, TRUE) != WAIT_OBJECT_0;
#else
  struct pollfd ended = {handle, POLLIN, 0}; /* -1 is passed over */
  int64_t longest = handle == SAFE_INVALID_HANDLE ? STEP_MS : SLEEP_MS;

  return poll(&ended, 1, (int)(ms < 0 || ms > longest ? longest : ms)) <= 0;
#endif
}

int safehold_child_wait(safe_process *process, struct safehold_wait *wait, safe_exit *status, safe_error *error) {
  safe_wait_options look = SAFE_WAIT_OPTIONS_INIT;
  int64_t left;
  int code;

  for (;;) {
    left = safehold_wait_left_ms(wait);
    look.timeout_ms = left >= 0 && left <= LOOK_MS ? left : 0;
    code = safe_process_wait(process, &look, status, look.timeout_ms == left ? error : NULL);
    if (code != SAFE_ETIMEDOUT || look.timeout_ms == left) return code;
    if (sleep_on(process, left < 0 ? -1 : left - LOOK_MS) && !safehold_wait_go_on(wait)) return SAFE_EINTR;
  }
}

int safehold_child_stop(safe_process *process, safe_stop_report *report, safe_error *error) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;

  options.grace_ms = SAFEHOLD_G(stop_grace) > 0 ? (int64_t)(SAFEHOLD_G(stop_grace) * 1000) : 0;
  return safe_process_stop(process, &options, report, error);
}

/* The child did not end by itself in time, or is not waited for any more. */
static void stop_for_good(safe_process *process, safe_exit *status) {
  safe_wait_options look = SAFE_WAIT_OPTIONS_INIT;

  look.timeout_ms = 0;
  safehold_child_stop(process, NULL, NULL);
  safe_process_wait(process, &look, status, NULL);
}

int safehold_child_finish(safe_process *process) {
  safe_exit status = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  struct safehold_wait wait;
  volatile int code = SAFE_EINTR;
  volatile bool fatal = false;

  safehold_wait_begin(&wait, SAFEHOLD_G(exec_timeout));
  zend_try { code = safehold_child_wait(process, &wait, &status, &error); }
  zend_catch { fatal = true; }
  zend_end_try();
  if (code == SAFE_ETIMEDOUT || code == SAFE_EINTR) stop_for_good(process, &status);
  safe_process_free(process);
  if (fatal) zend_bailout();
  safehold_wait_end(&wait);
  if (code == SAFE_ETIMEDOUT) php_error_docref(NULL, E_WARNING, "safehold.exec_timeout was over: %s", error.message);
  return safehold_child_code(&status);
}

int safehold_child_code(const safe_exit *status) {
  switch (status->kind) {
  case SAFE_EXIT_CODE:
    return (int)status->code;
  case SAFE_EXIT_SIGNAL:
    return status->signal | (status->core ? 0x80 : 0);
  default:
    return -1;
  }
}
