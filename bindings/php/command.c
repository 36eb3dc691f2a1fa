/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "ext/standard/php_filestat.h"

#ifdef PHP_WIN32
#include <process.h>
#else
#include <errno.h>
#include <unistd.h>
#endif

struct safehold_command {
  safe_process *process;
  safe_handle output;
  struct safehold_wait wait;
  int outcome; /* SAFE_OK while nothing but the command's own end is waited for */
  long owner;  /* who started it */
  zend_resource *resource;
};

static int resource_type;

static void close_output(struct safehold_command *command) {
  if (command->output == SAFE_INVALID_HANDLE) return;
#ifdef PHP_WIN32
  CloseHandle(command->output);
#else
  close(command->output);
#endif
  command->output = SAFE_INVALID_HANDLE;
}

/* The script ended in the middle, by a fatal error or because its client has gone. PHP's own functions then wait for
   the command, which finds its output closed, and so do these, for the rest of the time. Nothing here runs PHP code. */
static void destroy(zend_resource *resource) {
  struct safehold_command *command = resource->ptr;
  safe_wait_options rest = SAFE_WAIT_OPTIONS_INIT;

  close_output(command);
  if (command->process != NULL) {
    rest.timeout_ms = safehold_wait_left_ms(&command->wait);
    if (safe_process_wait(command->process, &rest, NULL, NULL) == SAFE_ETIMEDOUT)
      safehold_child_stop(command->process, NULL, NULL);
    safe_process_free(command->process);
  }
  efree(command);
}

/* Anew for each that is applied: an id of an earlier start of PHP in this process means something else by now. */
void safehold_command_register(void) {
  resource_type =
    zend_register_list_destructors_ex(destroy, NULL, "safehold command", safehold_module_entry.module_number);
}

struct safehold_command *safehold_command_start(const char *line) {
  struct safehold_command *command = emalloc(sizeof(*command));
  safe_spawn_options options;

  /* Registered before there is a process: registering may run out of memory, which does not return. */
  command->process = NULL;
  command->output = SAFE_INVALID_HANDLE;
  command->outcome = SAFE_OK;
  command->owner = (long)getpid();
  command->resource = zend_register_resource(command, resource_type);
  safehold_wait_begin_child(&command->wait);
  safehold_child_options(&options);
  options.shell = line;
  options.out.kind = SAFE_STDIO_PIPE;
  if (safehold_child_spawn(&command->process, &options, NULL) != SAFE_OK) {
    zend_list_delete(command->resource);
    return NULL;
  }
  command->output = safe_process_take_pipe(command->process, 1);
  return command;
}

/* Sets command->outcome where that ends the reading. -1: try again; 0: the end of the output, which any error is too.
 */
#ifdef PHP_WIN32

static int64_t read_some(struct safehold_command *command, char *buffer, size_t room) {
  OVERLAPPED pending = {0};
  DWORD came = 0;

  pending.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (pending.hEvent == NULL) return 0;
  if (ReadFile(command->output, buffer, (DWORD)room, NULL, &pending) || GetLastError() == ERROR_IO_PENDING) {
    command->outcome = safehold_wait_for(&command->wait, pending.hEvent, false);
    if (command->outcome != SAFE_OK) CancelIoEx(command->output, &pending);
    /* What came before the request could be cancelled counts. */
    if (!GetOverlappedResult(command->output, &pending, &came, TRUE)) came = 0;
  }
  CloseHandle(pending.hEvent);
  return came;
}

#else

static int64_t read_some(struct safehold_command *command, char *buffer, size_t room) {
  ssize_t came = read(command->output, buffer, room);

  if (came >= 0) return came;
  if (errno == EINTR) return -1;
  if (errno != EAGAIN) return 0;
  command->outcome = safehold_wait_for(&command->wait, command->output, false);
  return -1;
}

#endif

size_t safehold_command_read(struct safehold_command *command, char *buffer, size_t room) {
  int64_t came;

  while (command->outcome == SAFE_OK) {
    /* A copy that a handler of signals or output has made by pcntl_fork would take output away from its parent. */
    if ((long)getpid() != command->owner) {
      command->outcome = SAFE_EOWNER;
      break;
    }
    /* Also where a command floods, so that there is never anything to wait for. */
    if (safehold_wait_left_ms(&command->wait) == 0) {
      command->outcome = SAFE_ETIMEDOUT;
      break;
    }
    if (safehold_out_of_memory()) {
      command->outcome = SAFE_EINTR;
      break;
    }
    came = read_some(command, buffer, room);
#if PHP_VERSION_ID >= 80400 /* whose own reads from pipes do so: a command may have changed any file (bug 72666) */
    php_clear_stat_cache(0, NULL, 0);
#endif
    if (came >= 0) return (size_t)came;
  }
  return 0;
}

/* The time is over while the output is still open: says what the command does meanwhile. */
static void look(struct safehold_command *command, safe_exit *status, safe_error *error) {
  safe_wait_options options = SAFE_WAIT_OPTIONS_INIT;

  options.timeout_ms = SAFEHOLD_LOOK_MS;
  if (safe_process_wait(command->process, &options, status, error) != SAFE_OK) return;
  error->code = SAFE_ETIMEDOUT;
  snprintf(error->message, sizeof(error->message),
           "The command has ended, but a process that it started keeps its output open.");
}

int safehold_command_finish(struct safehold_command *command, safe_error *error) {
  safe_exit status = SAFE_EXIT_INIT;
  safe_error stuck = SAFE_ERROR_INIT;
  struct safehold_wait wait;
  int result = -1;

  *error = (safe_error)SAFE_ERROR_INIT;
  if (command->outcome == SAFE_ETIMEDOUT) look(command, &status, error);
  close_output(command);
  if (command->outcome == SAFE_OK) {
    command->outcome = safehold_child_wait(command->process, &command->wait, &status, error);
    result = safehold_child_code(&status);
    if (command->outcome == SAFE_OK) error->code = SAFE_OK; /* looks on the way may have failed */
  }
  if (command->outcome == SAFE_ETIMEDOUT || command->outcome == SAFE_EINTR) {
    result = -1;
    if (safehold_child_stop(command->process, NULL, &stuck) == SAFE_ESTUCK) *error = stuck;
  }
  safe_process_free(command->process);
  command->process = NULL;
  wait = command->wait;
  zend_list_delete(command->resource);
  safehold_wait_end(&wait);
  return result;
}
