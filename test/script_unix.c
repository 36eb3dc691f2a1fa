/* SPDX-License-Identifier: MIT */
#include "script.h"
#include "support.h"

void script(const char *text) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process;
  int code;

  setenv("SAFEHOLD", getenv("SAFEHOLD_COMMAND"), 1);
  options.shell = text;
  options.in.kind = SAFE_STDIO_NULL;
  options.out.kind = SAFE_STDIO_PIPE;
  options.err.kind = SAFE_STDIO_TO_OUT;
  if (safe_spawn(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  talk.timeout_ms = 60000;
  code = safe_process_communicate(process, &talk, &output, &error);
  if (code == SAFE_OK) safe_process_wait(process, NULL, &status, NULL);
  safe_process_stop(process, NULL, NULL, NULL); /* with all that it left in its group */
  safe_process_free(process);
  if (code != SAFE_OK) fail_msg("%s", error.message);
  if (status.kind != SAFE_EXIT_CODE || status.code != 0)
    fail_msg("the script ended with %d/%d:\n%s", (int)status.code, (int)status.signal, output.out);
  safe_output_free(&output);
}
