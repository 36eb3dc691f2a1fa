/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const char help[] =
  "Usage: safehold run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
  "Runs COMMAND and ends whatever is left of it: on Linux also what has left its process group, or lost its parent; "
  "and\n"
  "also if this command itself is killed, where the system can. COMMAND inherits stdin, stdout and stderr and no "
  "other\n"
  "descriptor. When stdin is a terminal COMMAND stays in the process group that may use it, and only COMMAND itself "
  "is\n"
  "ended.\n"
  "\n"
  "  -t, --timeout D    end it after D: seconds, or with s, m, h, d. 0, the default: never\n"
  "  -g, --grace D      time between the polite request to end and the forced end (default 2)\n"
  "      --tree KIND    what is ended with it: 'group' its process group; 'whole' all that it started, the default;\n"
  "                     'cgroup' the same by a cgroup or not at all (Linux)\n"
  "      --cgroup DIR   the folder in which a cgroup for it is made (Linux)\n"
  "      --memory N     bytes that it may use, or with K, M, G\n"
  "      --cpu-time D   processor time that it may use\n"
  "      --processes N  how many processes it may be at a time\n"
  "      --usage        say on stderr what time and memory it took\n"
  "  -v, --verbose      say on stderr what is done\n"
  "      --help\n"
  "\n"
  "Exits like COMMAND; 124 if the time was over, 137 if it then had to be killed; 126 if COMMAND cannot be run, 127\n"
  "if it is not found, 125 for a failure of its own or a process that cannot be ended, 128+n if signal n ended it.\n";

#define MOST_LIMITS 3

struct request {
  safe_spawn_options command;
  safe_wait_options wait;
  safe_stop_options stop;
  safe_limit limits[MOST_LIMITS];
  bool usage;
};

/* Options without a letter. */
enum { TREE = 256, CGROUP, MEMORY, CPU_TIME, PROCESSES, USAGE };

static bool read_duration(int64_t *ms) {
  if (cli_duration(optarg, ms)) return true;
  cli_complain("'%s' is not a duration", optarg);
  return false;
}

static bool read_tree(int32_t *tree) {
  static const char *const names[] = {"group", "whole", "cgroup"};
  static const int32_t trees[] = {SAFE_TREE_GROUP, SAFE_TREE_WHOLE, SAFE_TREE_CGROUP};
  size_t at;

  for (at = 0; at < sizeof(trees) / sizeof(trees[0]); at++)
    if (strcmp(optarg, names[at]) == 0) {
      *tree = trees[at];
      return true;
    }
  cli_complain("'%s' is not a kind of tree: group, whole or cgroup", optarg);
  return false;
}

/* Of two for the same the last counts. */
static bool add_limit(struct request *request, int32_t kind, int64_t value) {
  size_t at;

  for (at = 0; at < request->command.limit_count && request->limits[at].kind != kind;) at++;
  if (at == request->command.limit_count) request->command.limit_count++;
  request->limits[at].kind = kind;
  request->limits[at].value = value;
  return true;
}

static bool read_limit(struct request *request, int32_t kind) {
  int64_t value;
  bool good = kind == SAFE_LIMIT_MEMORY     ? cli_bytes(optarg, &value)
              : kind == SAFE_LIMIT_CPU_TIME ? cli_duration(optarg, &value)
                                            : cli_number(optarg, &value);

  if (!good) {
    cli_complain("'%s' is not %s", optarg,
                 kind == SAFE_LIMIT_MEMORY     ? "a number of bytes"
                 : kind == SAFE_LIMIT_CPU_TIME ? "a duration"
                                               : "a number of processes");
    return false;
  }
  return add_limit(request, kind, kind == SAFE_LIMIT_CPU_TIME ? (value + 999) / 1000 : value);
}

/* One option; false after a complaint. */
static bool take_option(struct request *request, int option) {
  switch (option) {
  case 't':
    if (!read_duration(&request->wait.timeout_ms)) return false;
    if (request->wait.timeout_ms == 0) request->wait.timeout_ms = SAFE_FOREVER; /* as timeout(1) */
    return true;
  case 'g':
    return read_duration(&request->stop.grace_ms);
  case TREE:
    return read_tree(&request->command.tree);
  case CGROUP:
    request->command.cgroup = optarg;
    return true;
  case MEMORY:
    return read_limit(request, SAFE_LIMIT_MEMORY);
  case CPU_TIME:
    return read_limit(request, SAFE_LIMIT_CPU_TIME);
  case PROCESSES:
    return read_limit(request, SAFE_LIMIT_PROCESSES);
  case 'v':
    cli_be_verbose();
    return true;
  case USAGE:
    request->usage = true;
    return true;
  default:
    return false;
  }
}

static int read_arguments(struct request *request, int argc, char **argv) {
  static const struct option options[] = {{"timeout", required_argument, NULL, 't'},
                                          {"grace", required_argument, NULL, 'g'},
                                          {"tree", required_argument, NULL, TREE},
                                          {"cgroup", required_argument, NULL, CGROUP},
                                          {"memory", required_argument, NULL, MEMORY},
                                          {"cpu-time", required_argument, NULL, CPU_TIME},
                                          {"processes", required_argument, NULL, PROCESSES},
                                          {"usage", no_argument, NULL, USAGE},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  int option;

  while ((option = getopt_long(argc, argv, "+t:g:vh", options, NULL)) != -1) {
    if (option == 'h') return cli_print(help) != 0 ? EXIT_OWN_FAILURE : -1;
    if (!take_option(request, option)) return cli_usage_error("run");
  }
  if (optind == argc) {
    cli_complain("there is no command to run");
    return cli_usage_error("run");
  }
  request->command.argv = (const char *const *)argv + optind;
  request->command.limits = request->limits;
  return 0;
}

/* With the best there is to keep the tree together, whatever that is here, unless one kind was asked for. */
static int start(safe_process **process, struct request *request) {
  bool asked = request->command.tree != SAFE_TREE_DEFAULT;
  safe_error error = SAFE_ERROR_INIT;
  int code;

  if (cli_has_terminal() && !asked)
    request->command.group = SAFE_GROUP_HOST;
  else if (!asked)
    request->command.tree = SAFE_TREE_WHOLE;
  request->command.flags |= SAFE_SPAWN_DIE_WITH_HOST;
  code = safe_spawn(process, &request->command, &error);
  if (code == SAFE_ENOTSUP && request->command.tree != SAFE_TREE_CGROUP) {
    request->command.flags &= ~(uint32_t)SAFE_SPAWN_DIE_WITH_HOST;
    code = safe_spawn(process, &request->command, &error);
  }
  return cli_started(code, &error);
}

static void say_usage(const safe_exit *exit) {
  cli_complain("%.3f s of user time, %.3f s of system time, at most %.1f MiB of memory", (double)exit->user_us / 1e6,
               (double)exit->system_us / 1e6, (double)exit->peak_memory / 1048576);
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
    if (request->usage && exit.user_us >= 0) say_usage(&exit);
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
  struct request request = {command_defaults, wait_defaults, stop_defaults, {{0, 0, 0}}, false};
  safe_process *process;
  int status;

  request.wait.timeout_ms = SAFE_FOREVER;
  status = read_arguments(&request, argc, argv);
  if (status != 0) return status < 0 ? 0 : status;
  if (safe_cancel_create(&request.wait.cancel) != SAFE_OK) {
    cli_complain("there is not enough memory");
    return EXIT_OWN_FAILURE;
  }
  cli_catch_signals(request.wait.cancel);
  status = start(&process, &request);
  if (status != 0) return status;
  status = wait_and_end(process, &request);
  safe_process_free(process);
  return status;
}
