/* SPDX-License-Identifier: MIT */
/* safe_run: a child's whole life in one call. */
#include "process.h"

static bool has_input(const safe_communicate_options *talk) {
  return talk->input != NULL || talk->input_handle != SAFE_INVALID_HANDLE || talk->input_function != NULL;
}

/* SAFE_STDIO_INHERIT is what a caller has who did not choose: here it is no choice either. */
static void choose_streams(safe_spawn_options *spawn, const safe_communicate_options *talk) {
  if (spawn->in.kind == SAFE_STDIO_INHERIT) spawn->in.kind = has_input(talk) ? SAFE_STDIO_PIPE : SAFE_STDIO_NULL;
  if (spawn->out.kind == SAFE_STDIO_INHERIT) spawn->out.kind = SAFE_STDIO_PIPE;
  if (spawn->err.kind == SAFE_STDIO_INHERIT) spawn->err.kind = SAFE_STDIO_PIPE;
}

/* Pipes that nobody could read: safe_process_take_pipe needs a process that the caller never sees. */
static int check_streams(const safe_spawn_options *spawn, const safe_communicate_options *talk, safe_error *error) {
  const safe_stdio *const streams[3] = {&spawn->in, &spawn->out, &spawn->err};
  const safe_sink *const sinks[3] = {NULL, &talk->out, &talk->err};
  int at;

  for (at = 0; at < 3; at++) {
    if (streams[at]->kind == SAFE_STDIO_PIPE && (streams[at]->flags & SAFE_STDIO_BLOCKING) != 0)
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, at,
                        "safe_run has nobody to give the blocking pipe of stream %d to.", at);
    if (at > 0 && sinks[at]->kind == SAFE_SINK_LEAVE && streams[at]->kind == SAFE_STDIO_PIPE)
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, at,
                        "safe_run cannot leave stream %d to be read by somebody else.", at);
  }
  return SAFE_OK;
}

static int64_t shorter(int64_t timeout_ms, int64_t left_ms) {
  return timeout_ms == SAFE_FOREVER || timeout_ms > left_ms ? left_ms : timeout_ms;
}

/* Ends what is left. Whatever went wrong before, what cannot be ended is what the caller has to know. */
static int end(safe_process *process, int code, safe_exit *status, safe_error *error) {
  safe_error stuck = SAFE_ERROR_INIT, ignored = SAFE_ERROR_INIT;

  if (safe_process_stop(process, NULL, NULL, &stuck) != SAFE_OK) {
    *error = stuck;
    code = stuck.code;
  }
  if (safe__process_wait(process, 0, NULL, &ignored) == SAFE_OK) *status = process->status;
  safe_process_free(process);
  return code;
}

static int run(safe_spawn_options *spawn, safe_communicate_options *talk, safe_exit *status, safe_output *output,
               safe_error *error) {
  int64_t deadline = safe__deadline(talk->timeout_ms);
  safe_process *process;
  int code;

  if (deadline != SAFE__NEVER) spawn->timeout_ms = shorter(spawn->timeout_ms, talk->timeout_ms);
  code = safe_spawn(&process, spawn, error);
  if (code != SAFE_OK) return code;
  if (deadline != SAFE__NEVER) talk->timeout_ms = safe__left_ms(deadline, INT64_MAX / SAFE__MS);
  code = safe_process_communicate(process, talk, output, error);
  return end(process, code, status, error);
}

int safe_run(const safe_spawn_options *spawn, const safe_communicate_options *communicate, safe_exit *status,
             safe_output *output, safe_error *caller) {
  safe_exit ended = SAFE_EXIT_INIT;
  safe_output result = SAFE_OUTPUT_INIT;
  safe_communicate_options talk;
  safe_spawn_options copy;
  safe_error error;
  int code, held;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  code = safe__read_spawn_options(&copy, spawn, &error);
  if (code == SAFE_OK) code = safe__read_communicate_options(&talk, communicate, &error);
  if (code == SAFE_OK) code = safe__check_out(status, "safe_exit", &error);
  if (code == SAFE_OK) code = safe__check_output(output, &error);
  if (code != SAFE_OK) return safe__deliver(caller, &error, code);
  copy.size = sizeof(copy); /* all of it is read by now */
  talk.size = sizeof(talk);
  choose_streams(&copy, &talk);
  code = check_streams(&copy, &talk, &error);
  if (code == SAFE_OK) {
    held = safe__os_hold_cancellation();
    code = run(&copy, &talk, &ended, &result, &error);
    safe__os_allow_cancellation(held);
  }
  if (ended.kind != SAFE_EXIT_UNKNOWN || code == SAFE_OK) safe__write_out(status, &ended, sizeof(ended));
  if (result.out != NULL) safe__write_out(output, &result, sizeof(result));
  if (output == NULL) safe_output_free(&result);
  return safe__deliver(caller, &error, code);
}
