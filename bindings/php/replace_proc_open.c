/* SPDX-License-Identifier: MIT */
/* proc_open() and what takes its resource, which is of a type of ours under PHP's name for it. */
#include "replace.h"

#ifdef PHP_WIN32

/* There a child's handles are another matter, and proc_open() has options for them. */
static zend_result apply_proc_open(void) { return FAILURE; }
static void undo_proc_open(void) {}

#else

#include <sys/wait.h>

#include "child.h"
#include "proc_command.h"
#include "proc_spec.h"

/* PHP from 8.3 on keeps an exit code that it has told of; before, it is told once. */
#define KEEPS_CODE (PHP_VERSION_ID >= 80300)

struct process {
  safe_process *child;
  zend_string *command;
  zend_resource **pipes; /* the streams on our ends, which the process has a reference to */
  int pipe_count;
  bool told; /* proc_get_status has told of its end */
  safe_exit status;
};

static int process_type;

static void close_pipes(struct process *process) {
  zend_resource *pipe;

  while (process->pipe_count > 0) {
    pipe = process->pipes[--process->pipe_count];
    GC_DELREF(pipe);
    zend_list_close(pipe);
  }
}

/* A resource that is merely forgotten does not wait for the child, as PHP's own does not. */
static void destroy_process(zend_resource *resource) {
  struct process *process = resource->ptr;

  safe_process_free(process->child); /* first, as a filter of a stream may end the script */
  close_pipes(process);
  efree(process->pipes);
  zend_string_release(process->command);
  efree(process);
}

/* ---- proc_open. */

struct launch {
  safe_spawn_options options;
  struct safehold_proc_command command;
  struct safehold_proc_spec spec;
  safe_process *child;
  HashTable *list, *descriptors, *environment;
  zend_string *line;
  char *cwd;
  zval *pipes;
  zend_resource *resource; /* what became of it, or NULL */
};

static void add_pipe(struct process *process, struct safehold_proc_end *end, zval *pipes) {
  php_stream *stream = safehold_proc_end_stream(end);
  zval value;

  if (stream == NULL) return;
  php_stream_to_zval(stream, &value);
  process->pipes[process->pipe_count++] = Z_RES(value);
  Z_ADDREF(value);
  add_index_zval(pipes, end->index, &value);
}

static void hand_over(struct launch *launch) {
  zval *pipes = zend_try_array_init(launch->pipes);
  struct process *process;
  int at;

  if (pipes == NULL) return;
  process = ecalloc(1, sizeof(*process));
  process->pipes = ecalloc(launch->spec.count + 1, sizeof(*process->pipes));
  process->command = zend_string_copy(launch->command.text);
  for (at = 0; at < launch->spec.count; at++) add_pipe(process, &launch->spec.ends[at], pipes);
  process->child = launch->child;
  process->status = (safe_exit)SAFE_EXIT_INIT;
  launch->child = NULL;
  launch->resource = zend_register_resource(process, process_type);
}

static void start(struct launch *launch) {
  safe_error error = SAFE_ERROR_INIT;

  safehold_child_options(&launch->options);
  if (!safehold_proc_command_read(&launch->command, launch->list, launch->line, launch->environment, &launch->options))
    return;
  safehold_proc_command_set_directory(&launch->command, launch->cwd, &launch->options);
  if (!safehold_proc_spec_read(&launch->spec, launch->descriptors)) return;
  safehold_proc_spec_give(&launch->spec, &launch->options);
  if (safehold_proc_command_spawn(&launch->command, &launch->child, &launch->options, &error) == SAFE_OK)
    hand_over(launch);
  else
    php_error_docref(NULL, E_WARNING, "%s", error.message);
}

/* Much of it may run the script's own code (stream wrappers, error handlers, destructors), which may end the script. */
static void start_and_clean_up(struct launch *launch) {
  volatile bool fatal = false;

  zend_try { start(launch); }
  zend_catch { fatal = true; }
  zend_end_try();
  safehold_proc_spec_close(&launch->spec);
  if (launch->child != NULL) {
    safehold_child_stop(launch->child, NULL, NULL);
    safe_process_free(launch->child);
  }
  if (fatal) zend_bailout();
  safehold_proc_command_free(&launch->command);
}

static ZEND_NAMED_FUNCTION(replaced_proc_open) {
  struct launch launch = {0};
  zval *options = NULL;
  size_t length;

  launch.spec.terminal = launch.spec.terminal_child = -1;
  ZEND_PARSE_PARAMETERS_START(3, 6)
  Z_PARAM_ARRAY_HT_OR_STR(launch.list, launch.line)
  Z_PARAM_ARRAY_HT(launch.descriptors)
  Z_PARAM_ZVAL(launch.pipes)
  Z_PARAM_OPTIONAL
  Z_PARAM_STRING_OR_NULL(launch.cwd, length)
  Z_PARAM_ARRAY_HT_OR_NULL(launch.environment)
  Z_PARAM_ARRAY_OR_NULL(options) /* all of them are Windows' */
  ZEND_PARSE_PARAMETERS_END();
  start_and_clean_up(&launch);
  if (launch.resource == NULL) RETURN_FALSE;
  RETURN_RES(launch.resource);
}

/* ---- The others. */

static struct process *fetch(zval *value) { return zend_fetch_resource(Z_RES_P(value), "process", process_type); }

/* What PHP would have to say of an end that it has told of. */
static void forget_status(struct process *process) {
  if (!KEEPS_CODE || process->status.kind != SAFE_EXIT_CODE) process->status = (safe_exit)SAFE_EXIT_INIT;
}

/* Its streams are closed with it. Their filters may run the script's code, which finds the resource closed, or ends. */
static safe_process *close_but_keep_child(zend_resource *resource) {
  struct process *process = resource->ptr;
  safe_process *child = process->child;
  volatile bool fatal = false;

  process->child = NULL;
  zend_try { zend_list_close(resource); }
  zend_catch { fatal = true; }
  zend_end_try();
  if (!fatal) return child;
  safe_process_free(child);
  zend_bailout();
}

static ZEND_NAMED_FUNCTION(replaced_proc_close) {
  struct process *process;
  safe_process *child;
  safe_exit status;
  zval *value;
  bool told;

  ZEND_PARSE_PARAMETERS_START(1, 1)
  Z_PARAM_RESOURCE(value)
  ZEND_PARSE_PARAMETERS_END();
  process = fetch(value);
  if (process == NULL) RETURN_THROWS();
  told = process->told;
  status = process->status;
  child = close_but_keep_child(Z_RES_P(value));
  if (told)
    safe_process_free(child);
  else
    RETURN_LONG(safehold_child_finish(child));
  RETURN_LONG(safehold_child_code(&status));
}

/* Whether it has ended, noted in process->status; a copy of this process after fork is told so, as waitpid(2) would. */
static bool look(struct process *process) {
  safe_wait_options now = SAFE_WAIT_OPTIONS_INIT;

  now.timeout_ms = 0;
  return process->told || safe_process_wait(process->child, &now, &process->status, NULL) != SAFE_ETIMEDOUT;
}

/* The signal that has stopped it, told once, or 0. This does not reap a child that has ended meanwhile. */
static int stopped_by(struct process *process) {
  siginfo_t info = {0};

  if (waitid(P_PID, (id_t)safe_process_pid(process->child), &info, WSTOPPED | WNOHANG) != 0) return 0;
  return info.si_pid != 0 ? info.si_status : 0;
}

static ZEND_NAMED_FUNCTION(replaced_proc_get_status) {
  struct process *process;
  int stop_signal;
  bool ended;
  zval *value;

  ZEND_PARSE_PARAMETERS_START(1, 1)
  Z_PARAM_RESOURCE(value)
  ZEND_PARSE_PARAMETERS_END();
  process = fetch(value);
  if (process == NULL) RETURN_THROWS();
  ended = look(process);
  stop_signal = ended ? 0 : stopped_by(process);
  array_init(return_value);
  add_assoc_str(return_value, "command", zend_string_copy(process->command));
  add_assoc_long(return_value, "pid", (zend_long)safe_process_pid(process->child));
#if KEEPS_CODE
  add_assoc_bool(return_value, "cached", process->status.kind == SAFE_EXIT_CODE);
#endif
  add_assoc_bool(return_value, "running", !ended);
  add_assoc_bool(return_value, "signaled", process->status.kind == SAFE_EXIT_SIGNAL);
  add_assoc_bool(return_value, "stopped", stop_signal != 0);
  add_assoc_long(return_value, "exitcode", (zend_long)process->status.code);
  add_assoc_long(return_value, "termsig", process->status.signal);
  add_assoc_long(return_value, "stopsig", stop_signal);
  process->told = ended;
  if (ended) forget_status(process);
}

static ZEND_NAMED_FUNCTION(replaced_proc_terminate) {
  zend_long signal_number = SIGTERM;
  struct process *process;
  zval *value;
  int code;

  ZEND_PARSE_PARAMETERS_START(1, 2)
  Z_PARAM_RESOURCE(value)
  Z_PARAM_OPTIONAL
  Z_PARAM_LONG(signal_number)
  ZEND_PARSE_PARAMETERS_END();
  process = fetch(value);
  if (process == NULL) RETURN_THROWS();
  code = safe_process_signal(process->child, (int)signal_number, 0, NULL);
  /* kill(2) takes a zombie, which the child is to PHP until its end is told. */
  RETURN_BOOL(code == SAFE_OK || (code == SAFE_ESRCH && !process->told));
}

/* ---- All four or none. */

static const struct {
  const char *name;
  zif_handler with;
} functions[] = {
  {"proc_open", replaced_proc_open},
  {"proc_close", replaced_proc_close},
  {"proc_get_status", replaced_proc_get_status},
  {"proc_terminate", replaced_proc_terminate},
};
#define COUNT (sizeof(functions) / sizeof(functions[0]))

static zif_handler originals[COUNT];

static void undo_proc_open(void) {
  size_t at;

  for (at = 0; at < COUNT; at++)
    if (originals[at] != NULL) safehold_replace_function(functions[at].name, originals[at], NULL);
}

/* One that disable_functions has taken away is not missed, unless nothing makes the resource. */
static zend_result apply_proc_open(void) {
  size_t at;

  memset(originals, 0, sizeof(originals));
  if (safehold_replace_function(functions[0].name, functions[0].with, &originals[0]) != SUCCESS) return FAILURE;
  process_type =
    zend_register_list_destructors_ex(destroy_process, NULL, "process", safehold_module_entry.module_number);
  for (at = 1; at < COUNT; at++) safehold_replace_function(functions[at].name, functions[at].with, &originals[at]);
  return SUCCESS;
}

#endif

const struct safehold_replacement safehold_replacement_proc_open = {"proc_open", apply_proc_open, undo_proc_open};
