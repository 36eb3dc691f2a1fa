/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "options.h"

static _Atomic(const safe_tracer *) tracer;

int safe_use_tracer(const safe_tracer *next) {
  int code = next == NULL ? SAFE_OK : safe__check_tracer(next);

  if (code == SAFE_OK) atomic_store(&tracer, next);
  return code;
}

static bool traces(void) { return atomic_load_explicit(&tracer, memory_order_relaxed) != NULL; }

#define LINE_BYTES 1024
#define SHOWN 700 /* bytes of a name: a line has to have room for the rest too */

SAFE__PRINTF(2, 3) static void tell(int32_t kind, const char *format, ...) {
  const safe_tracer *to = atomic_load(&tracer);
  char line[LINE_BYTES];
  va_list list;
  int held;

  if (to == NULL) return;
  va_start(list, format);
  vsnprintf(line, sizeof(line), format, list);
  va_end(list);
  safe__make_printable(line);
  held = safe__os_hold_cancellation(); /* on the way to a free lock it is not held off, and the lock would be lost */
  to->trace(to->context, kind, line);
  safe__os_allow_cancellation(held);
}

/* ---- Locks. */

static void name(char *text, size_t size, const struct safe_lock_wait *attempt) {
  if (attempt->path != NULL)
    snprintf(text, size, "%s", safe__tail(attempt->path, SHOWN));
  else
    snprintf(text, size, "Handle %" PRIdPTR, (intptr_t)safe__os_file_handle(&attempt->lock->file));
}

static const char *mode_of(const struct safe_lock_wait *attempt) {
  return attempt->options.mode == SAFE_LOCK_SHARED ? "shared" : "exclusive";
}

void safe__trace_wait(const struct safe_lock_wait *attempt) {
  char file[SHOWN + 1];

  if (!traces()) return;
  name(file, sizeof(file), attempt);
  if (attempt->options.timeout_ms == SAFE_FOREVER)
    tell(SAFE_TRACE_WAIT, "%s is locked by somebody else: waiting without a limit (%s).", file, mode_of(attempt));
  else
    tell(SAFE_TRACE_WAIT, "%s is locked by somebody else: waiting for at most %" PRId64 " ms (%s).", file,
         attempt->options.timeout_ms, mode_of(attempt));
}

SAFE__ON_GRANT void safe__trace_lock(const struct safe_lock_wait *attempt, int code, const safe_error *error) {
  char file[SHOWN + 1];

  if (!traces()) return;
  if (code != SAFE_OK) {
    tell(SAFE_TRACE_FAILURE, "%s", error->message);
    return;
  }
  name(file, sizeof(file), attempt);
  if (attempt->waited)
    tell(SAFE_TRACE_GRANT, "%s is locked (%s), after %" PRId64 " ms.", file, mode_of(attempt),
         (safe__os_now() - attempt->began) / SAFE__MS);
  else
    tell(SAFE_TRACE_GRANT, "%s is locked (%s).", file, mode_of(attempt));
}

/* ---- Children. */

void safe__trace_spawn(const safe_spawn_options *options, const safe_process *process, const safe_error *error) {
  const char *program;

  if (!traces()) return;
  if (process == NULL) {
    tell(SAFE_TRACE_FAILURE, "%s", error->message);
    return;
  }
  program = options->shell != NULL ? options->shell : options->file != NULL ? options->file : options->argv[0];
  tell(SAFE_TRACE_SPAWN, "Process %" PRId64 " was started: %.*s", safe_process_pid(process), SHOWN, program);
}

void safe__trace_stop(const struct safe_stop *stop) {
  static const char *const how[] = {"had ended already", "ended when it was asked to", "was killed"};

  if (!traces()) return;
  if (stop->code == SAFE_OK)
    tell(SAFE_TRACE_STOP, "Process %" PRId64 " %s.", safe_process_pid(stop->process), how[stop->report.verdict]);
  else
    tell(SAFE_TRACE_FAILURE, "%s", stop->error.message);
}
