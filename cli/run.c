/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const char help[] =
  "Usage: safehold run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
  "Runs COMMAND in a process group (on Windows a job) of its own, and ends what is left of the group with it.\n"
  "COMMAND inherits stdin, stdout and stderr and no other descriptor. When stdin is a terminal COMMAND stays in the\n"
  "process group that may use it, and only COMMAND itself is ended.\n"
  "\n"
  "  -t, --timeout D  end it after D: seconds, or with s, m, h, d. 0, the default: never\n"
  "  -g, --grace D    time between the polite request to end and the forced end (default 2)\n"
  "      --help\n"
  "\n"
  "Exits like COMMAND; 124 if the time was over, 137 if it then had to be killed; 126 if COMMAND cannot be run, 127\n"
  "if it is not found, 125 for a failure of its own or a process that cannot be ended, 128+n if signal n ended it.\n";

struct request {
  safe_spawn_options command;
  safe_wait_options wait;
  safe_stop_options stop;
};

static bool read_duration(int64_t *ms) {
  if (cli_duration(optarg, ms)) return true;
  cli_complain("'%s' is not a duration", optarg);
  return false;
}

static int read_arguments(struct request *request, int argc, char **argv) {
  static const struct option options[] = {{"timeout", required_argument, NULL, 't'},
                                          {"grace", required_argument, NULL, 'g'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  int option;

  while ((option = getopt_long(argc, argv, "+t:g:h", options, NULL)) != -1) {
    if (option == 'h') return cli_print(help) != 0 ? EXIT_OWN_FAILURE : -1;
    if (option == 't' && read_duration(&request->wait.timeout_ms)) {
      if (request->wait.timeout_ms == 0) request->wait.timeout_ms = SAFE_FOREVER; /* as timeout(1) */
      continue;
    }
    if (option == 'g' && read_duration(&request->stop.grace_ms)) continue;
    return cli_usage_error("run");
  }
  if (optind == argc) {
    cli_complain("there is no command to run");
    return cli_usage_error("run");
  }
  request->command.argv = (const char *const *)argv + optind;
  return 0;
}

/* Whatever is left of the group goes; a failure to end it is more than the command's own status. */
static int end_group(safe_process *process, const struct request *request, safe_stop_report *report, int status) {
  safe_error error = SAFE_ERROR_INIT;

  if (safe_process_stop(process, &request->stop, report, &error) == SAFE_OK) return status;
  cli_complain("%s", error.message);
  return EXIT_OWN_FAILURE;
}

static int wait_and_end(safe_process *process, const struct request *request) {
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_exit exit = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int status, signal;

  switch (safe_process_wait(process, &request->wait, &exit, &error)) {
  case SAFE_OK:
    return end_group(process, request, &report, cli_status(&exit));
  case SAFE_ETIMEDOUT:
    status = end_group(process, request, &report, EXIT_TIMEOUT);
    return status == EXIT_TIMEOUT && report.verdict == SAFE_STOP_FORCED ? EXIT_SIGNAL + 9 : status;
  case SAFE_ECANCELED:
    signal = cli_next_signal();
    status = end_group(process, request, &report, EXIT_SIGNAL + signal);
    return status == EXIT_OWN_FAILURE ? status : cli_end_by_signal(signal);
  default:
    cli_complain("%s", error.message);
    return end_group(process, request, &report, EXIT_OWN_FAILURE);
  }
}

int cli_run(int argc, char **argv) {
  static const safe_spawn_options command_defaults = SAFE_SPAWN_OPTIONS_INIT;
  static const safe_wait_options wait_defaults = SAFE_WAIT_OPTIONS_INIT;
  static const safe_stop_options stop_defaults = SAFE_STOP_OPTIONS_INIT;
  struct request request = {command_defaults, wait_defaults, stop_defaults};
  safe_process *process;
  int status;

  request.wait.timeout_ms = SAFE_FOREVER;
  if (cli_has_terminal()) request.command.group = SAFE_GROUP_HOST;
  status = read_arguments(&request, argc, argv);
  if (status != 0) return status < 0 ? 0 : status;
  if (safe_cancel_create(&request.wait.cancel) != SAFE_OK) {
    cli_complain("there is not enough memory");
    return EXIT_OWN_FAILURE;
  }
  cli_catch_signals(request.wait.cancel);
  status = cli_spawn(&process, &request.command);
  if (status != 0) return status;
  status = wait_and_end(process, &request);
  safe_process_free(process);
  return status;
}
