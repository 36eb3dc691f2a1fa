/* SPDX-License-Identifier: MIT */
#include "child.h"

#include "environment.h"

#ifdef PHP_WIN32
#include <io.h>
#else
#include <sys/socket.h>
#include <unistd.h>
#endif

#include "zend_virtual_cwd.h"

#ifndef PHP_WIN32
static bool is_listening(int fd) {
  socklen_t length = sizeof(int);
  int listening = 0;

  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0;
}

/* Its foreground, by any of the standard streams: a program in another group than the terminal's is stopped when it
   reads from it, also from /dev/tty, and misses Ctrl-C. */
static bool is_on_terminal(void) {
  return isatty(STDIN_FILENO) || tcgetpgrp(STDOUT_FILENO) == getpgrp() || tcgetpgrp(STDERR_FILENO) == getpgrp();
}
#endif

void safehold_child_options(safe_spawn_options *options) {
  *options = (safe_spawn_options)SAFE_SPAWN_OPTIONS_INIT;
  options->flags = SAFE_SPAWN_KEEP_IGNORED;
#ifndef PHP_WIN32
  if (is_on_terminal()) options->group = SAFE_GROUP_HOST;
  /* A FastCGI server's stdin, with which a daemon would keep the port. */
  if (is_listening(STDIN_FILENO)) options->in.kind = SAFE_STDIO_NULL;
#endif
#ifdef VIRTUAL_DIR
  /* Its own place is not exported to modules. */
  if (virtual_getcwd(SAFEHOLD_G(folder), sizeof(SAFEHOLD_G(folder))) != NULL) options->cwd = SAFEHOLD_G(folder);
#endif
}

int safehold_child_spawn(safe_process **process, const safe_spawn_options *options, safe_error *error) {
  safe_spawn_options own = *options;
  const char **environment = own.env == NULL ? safehold_environment_copy() : NULL;
  int code;

  if (environment != NULL) {
    own.env = environment;
    if (own.env_changes == NULL) own.flags |= SAFE_SPAWN_PATH_OF_CHILD; /* the same, without getenv(3) */
  }
  code = safe_spawn(process, &own, error);
  pefree(environment, true);
  return code;
}

php_stream *safehold_child_stream(safe_process *process, int stream) {
  safe_handle handle = safe_process_take_pipe(process, stream);
  php_stream *volatile opened = NULL;
  int fd;

  if (handle == SAFE_INVALID_HANDLE) return NULL;
#ifdef PHP_WIN32
  fd = _open_osfhandle((intptr_t)handle, stream == 0 ? _O_WRONLY | _O_BINARY : _O_RDONLY | _O_BINARY);
#else
  fd = handle;
#endif
  zend_try { opened = php_stream_fopen_from_fd(fd, stream == 0 ? "w" : "r", NULL); }
  zend_end_try();
  if (opened != NULL) return opened;
  close(fd);
  zend_bailout(); /* no memory */
}

#define STEP_MS 20 /* between two looks where there is no handle to wait on: Linux before 5.3 */

static int look(safe_process *process, int64_t ms, safe_exit *status, safe_error *error) {
  safe_wait_options options = SAFE_WAIT_OPTIONS_INIT;

  options.timeout_ms = ms;
  return safe_process_wait(process, &options, status, error);
}

/* Also where the handle is ready though the child cannot be waited for yet, as a debugger has it. */
static int wait_in_steps(safe_process *process, struct safehold_wait *wait) {
  while (look(process, STEP_MS, NULL, NULL) == SAFE_ETIMEDOUT) {
    if (!safehold_wait_go_on(wait)) return SAFE_EINTR;
    if (safehold_wait_left_ms(wait) == 0) return SAFE_ETIMEDOUT;
  }
  return SAFE_OK;
}

int safehold_child_wait(safe_process *process, struct safehold_wait *wait, safe_exit *status, safe_error *error) {
  safe_handle handle = safe_process_exit_handle(process);
  int code = look(process, 0, status, NULL);

  if (code == SAFE_OK) return code;
  if (handle != SAFE_INVALID_HANDLE) code = safehold_wait_for(wait, handle, false);
  if (code == SAFE_OK || handle == SAFE_INVALID_HANDLE) code = wait_in_steps(process, wait);
  return code == SAFE_EINTR ? code : look(process, SAFEHOLD_LOOK_MS, status, error);
}

int safehold_child_stop(safe_process *process, safe_stop_report *report, safe_error *error) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;

  options.grace_ms = SAFEHOLD_G(stop_grace) > 0 ? (int64_t)(SAFEHOLD_G(stop_grace) * 1000) : 0;
  return safe_process_stop(process, &options, report, error);
}

int safehold_child_finish(safe_process *process) {
  safe_exit status = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  struct safehold_wait wait;
  int code;

  safehold_wait_begin_child(&wait);
  code = safehold_child_wait(process, &wait, &status, &error);
  if (code == SAFE_ETIMEDOUT || code == SAFE_EINTR) {
    safehold_child_stop(process, NULL, NULL);
    look(process, 0, &status, NULL);
  }
  safe_process_free(process);
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
