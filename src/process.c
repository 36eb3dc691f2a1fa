/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <string.h>

#include "explain.h"
#include "trace.h"

static const safe_exit no_exit = SAFE_EXIT_INIT;

int safe__check_process(const safe_process *process, safe_error *error) {
  if (process == NULL) return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The process is NULL.");
  if (process->owner != safe__os_self())
    return safe__fail(error, SAFE_EOWNER, SAFE_STAGE_ARGUMENTS, -1,
                      "The process belongs to process %lld, which this one was forked from.",
                      (long long)process->owner);
  return SAFE_OK;
}

static int spawn(safe_process **out, const safe_spawn_options *options, safe_error *error) {
  safe_process *process = safe__alloc(sizeof(*process));
  int code;

  if (process == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  process->owner = safe__os_self();
  process->status = no_exit;
  code = safe__os_spawn(&process->child, options, safe__deadline(options->timeout_ms), error);
  if (code == SAFE_OK)
    *out = process;
  else
    safe__free(process);
  return code;
}

int safe_spawn(safe_process **process, const safe_spawn_options *options, safe_error *caller) {
  safe_spawn_options copy;
  safe_error error;
  int code, held;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  if (process == NULL)
    return safe__deliver(
      caller, &error, safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The place for the process is NULL."));
  *process = NULL;
  code = safe__read_spawn_options(&copy, options, &error);
  if (code == SAFE_OK) {
    held = safe__os_hold_cancellation();
    safe__parked_collect();
    code = spawn(process, &copy, &error);
    safe__trace_spawn(&copy, *process, &error);
    safe__os_allow_cancellation(held);
  }
  return safe__deliver(caller, &error, code);
}

int64_t safe_process_pid(const safe_process *process) {
  return process == NULL ? SAFE_EINVAL : safe__os_child_pid(&process->child);
}

safe_handle safe_process_take_pipe(safe_process *process, int stream) {
  if (process == NULL || process->owner != safe__os_self() || stream < 0 || stream > 2) return SAFE_INVALID_HANDLE;
  return safe__os_stream_take(&process->child.streams[stream]);
}

int safe_process_tree(const safe_process *process, safe_tree_info *info, safe_error *caller) {
  safe_tree_info found = SAFE_TREE_INFO_INIT;
  safe_error error;
  int code;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  code = safe__check_process(process, &error);
  if (code == SAFE_OK && info == NULL)
    code = safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The place for the answer is NULL.");
  if (code == SAFE_OK) code = safe__check_out(info, "safe_tree_info", &error);
  if (code == SAFE_OK) {
    safe__os_child_tree(&process->child, &found);
    safe__write_out(info, &found, sizeof(found));
  }
  return safe__deliver(caller, &error, code);
}

safe_handle safe_process_handle(const safe_process *process, size_t index) {
  if (process == NULL || process->owner != safe__os_self()) return SAFE_INVALID_HANDLE;
  return safe__os_child_handle(&process->child, index);
}

int safe_process_resize(safe_process *process, int columns, int rows) {
  if (process == NULL || columns < 1 || columns > 32767 || rows < 1 || rows > 32767) return SAFE_EINVAL;
  if (process->owner != safe__os_self()) return SAFE_EOWNER;
  return safe__os_child_resize(&process->child, columns, rows);
}

int safe_reserve_descriptors(int count) {
  return count < 0 || count > 256 ? SAFE_EINVAL : safe__os_reserve_descriptors(count);
}

safe_handle safe_process_exit_handle(safe_process *process) {
  if (process == NULL || process->owner != safe__os_self()) return SAFE_INVALID_HANDLE;
  return safe__os_child_exit_handle(&process->child);
}

int safe__process_wait(safe_process *process, int64_t deadline, safe_cancel *cancel, safe_error *error) {
  int code, held;

  if (process->ended) return SAFE_OK;
  held = safe__os_hold_cancellation();
  code = safe__os_child_wait(&process->child, deadline, cancel, &process->status, error);
  process->ended = code == SAFE_OK;
  safe__os_allow_cancellation(held);
  return code;
}

#define LOOK_MS 20

/* A wait that is shorter is one of many, as of a host that asks now and then: a look would cost more than the wait. */
#define SHORTEST_MS 100

static int64_t look_time(const safe_wait_options *options, int64_t deadline) {
  return options->timeout_ms < SHORTEST_MS ? SAFE__NEVER : deadline - LOOK_MS * SAFE__MS;
}

/* What a child does that does not end in time is looked for in the last part of the time. */
static int wait_and_look(safe_process *process, const safe_wait_options *options, bool tell, safe_error *error) {
  int64_t deadline = safe__deadline(options->timeout_ms), look_at = tell ? look_time(options, deadline) : SAFE__NEVER;
  safe_error doing;
  int code, held;

  if (look_at == SAFE__NEVER) return safe__process_wait(process, deadline, options->cancel, error);
  code = safe__process_wait(process, look_at, options->cancel, error);
  if (code != SAFE_ETIMEDOUT) return code;
  safe__error_clear(&doing);
  held = safe__os_hold_cancellation();
  safe__add_doing(&doing, " It", safe__os_child_pid(&process->child), deadline);
  safe__os_allow_cancellation(held);
  code = safe__process_wait(process, deadline, options->cancel, error);
  if (code == SAFE_ETIMEDOUT && strlen(error->message) + strlen(doing.message) < sizeof(error->message))
    safe__add(error, "%s", doing.message);
  return code;
}

int safe_process_wait(safe_process *process, const safe_wait_options *options, safe_exit *status, safe_error *caller) {
  safe_wait_options copy;
  safe_error error;
  int code;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  code = safe__check_process(process, &error);
  if (code == SAFE_OK) code = safe__read_wait_options(&copy, options, &error);
  if (code == SAFE_OK) code = safe__check_out(status, "safe_exit", &error);
  if (code == SAFE_OK) code = wait_and_look(process, &copy, caller != NULL, &error);
  if (code == SAFE_OK) safe__write_out(status, &process->status, sizeof(process->status));
  return safe__deliver(caller, &error, code);
}

void safe_process_free(safe_process *process) {
  int at, held;

  if (process == NULL) return;
  held = safe__os_hold_cancellation();
  for (at = 0; at < 3; at++) {
    safe__os_stream_close(&process->child.streams[at]);
    safe__free(process->carry[at].block);
  }
  safe__os_child_free(&process->child, process->owner == safe__os_self());
  safe__free(process);
  safe__os_allow_cancellation(held);
}
