/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const char help[] =
  "Usage: safehold lock [OPTION]... FILE COMMAND [ARGUMENT]...\n"
  "       safehold lock [OPTION]... FILE -c 'SHELL COMMAND LINE'\n"
  "Holds the lock of FILE, which is made if it does not exist, while COMMAND runs. COMMAND does not inherit it.\n"
  "\n"
  "  -x, --exclusive             one holder (the default)\n"
  "  -s, --shared                any number of shared holders\n"
  "  -n, --nonblock              do not wait\n"
  "  -w, --wait, --timeout D     wait at most D: seconds, or with s, m, h, d; 0 = do not wait. Default: for ever\n"
  "  -E, --conflict-exit-code N  exit with N when the lock was not got in time (default 75)\n"
  "      --method NAME           flock (default: users of flock(1), PHP, Ruby and Python's fcntl.flock are\n"
  "                              excluded), ofd (users of fcntl locks and SQLite), both (all of these; Linux,\n"
  "                              local file systems), posix (as ofd, where there is none); on Windows far (the\n"
  "                              default: nobody else sees it) and compat (users of PHP's flock)\n"
  "      --start N, --length N   lock only these bytes (methods ofd, posix and far); length 0 = to the end\n"
  "      --fair                  a writer is not kept out by a stream of readers, if all ask for it (ofd, far)\n"
  "      --isolate               keep the deadline on a dead file system too\n"
  "      --remove                remove FILE before the lock is given back\n"
  "      --label TEXT            leave a record in FILE, or in FILE.owner, of who has it and what for\n"
  "  -c, --command LINE          give LINE to the shell\n"
  "  -v, --verbose               say on stderr what is waited for and what is done\n"
  "      --help\n"
  "\n"
  "Exits like COMMAND; 75 if somebody else kept the lock, whom stderr names; 126 if COMMAND cannot be run, 127 if\n"
  "it is not found, 125 for a failure of its own, 128+n if signal n ended it. A script needs its #! line.\n";

struct request {
  safe_lock_options lock;
  safe_spawn_options command;
  const char *file;
  int conflict_status;
};

static bool read_method(const char *name, int32_t *method) {
  static const struct {
    const char *name;
    int32_t method;
  } methods[] = {{"flock", SAFE_METHOD_FLOCK}, {"ofd", SAFE_METHOD_OFD}, {"both", SAFE_METHOD_BOTH},
                 {"posix", SAFE_METHOD_POSIX}, {"far", SAFE_METHOD_FAR}, {"compat", SAFE_METHOD_COMPAT}};
  size_t at;

  for (at = 0; at < sizeof(methods) / sizeof(methods[0]); at++)
    if (strcmp(name, methods[at].name) == 0) {
      *method = methods[at].method;
      return true;
    }
  cli_complain("'%s' is not a method: flock, ofd, both, posix, far or compat", name);
  return false;
}

static bool read_bytes(const char *text, int64_t *bytes) {
  if (cli_bytes(text, bytes)) return true;
  cli_complain("'%s' is not a number of bytes", text);
  return false;
}

static bool read_status(const char *text, int *status) {
  char *end;
  long value;

  errno = 0;
  value = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < 0 || value > 255) return false;
  *status = (int)value;
  return true;
}

/* Options without a letter. */
enum { START = 256, LENGTH, FAIR, ISOLATE, REMOVE, LABEL };

/* One option; false after a complaint. */
static bool take_option(struct request *request, int option) {
  switch (option) {
  case 's':
    request->lock.mode = SAFE_LOCK_SHARED;
    return true;
  case 'x':
  case 'e':
    request->lock.mode = SAFE_LOCK_EXCLUSIVE;
    return true;
  case 'n':
    request->lock.timeout_ms = SAFE_NO_WAIT;
    return true;
  case 'v':
    cli_be_verbose();
    return true;
  case 'w':
    if (cli_duration(optarg, &request->lock.timeout_ms)) return true;
    cli_complain("'%s' is not a duration", optarg);
    return false;
  case 'E':
    if (read_status(optarg, &request->conflict_status)) return true;
    cli_complain("'%s' is not an exit status from 0 to 255", optarg);
    return false;
  case 'm':
    return read_method(optarg, &request->lock.method);
  case START:
    return read_bytes(optarg, &request->lock.offset);
  case LENGTH:
    return read_bytes(optarg, &request->lock.length);
  case FAIR:
    request->lock.flags |= SAFE_LOCK_FAIR;
    return true;
  case ISOLATE:
    request->lock.flags |= SAFE_LOCK_ISOLATE;
    return true;
  case REMOVE:
    request->lock.flags |= SAFE_LOCK_REMOVE_ON_UNLOCK;
    return true;
  case LABEL:
    request->lock.flags |= SAFE_LOCK_RECORD_OWNER;
    request->lock.label = optarg;
    return true;
  default:
    return false;
  }
}

/* 0, or the status to exit with, less 1: -1 is --help, which is a success. */
static int read_arguments(struct request *request, int argc, char **argv) {
  static const struct option options[] = {{"shared", no_argument, NULL, 's'},
                                          {"exclusive", no_argument, NULL, 'x'},
                                          {"nonblock", no_argument, NULL, 'n'},
                                          {"nb", no_argument, NULL, 'n'},
                                          {"wait", required_argument, NULL, 'w'},
                                          {"timeout", required_argument, NULL, 'w'},
                                          {"conflict-exit-code", required_argument, NULL, 'E'},
                                          {"method", required_argument, NULL, 'm'},
                                          {"start", required_argument, NULL, START},
                                          {"length", required_argument, NULL, LENGTH},
                                          {"fair", no_argument, NULL, FAIR},
                                          {"isolate", no_argument, NULL, ISOLATE},
                                          {"remove", no_argument, NULL, REMOVE},
                                          {"label", required_argument, NULL, LABEL},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  int option;

  while ((option = getopt_long(argc, argv, "+sxenvw:E:h", options, NULL)) != -1) {
    if (option == 'h') return cli_print(help) != 0 ? EXIT_OWN_FAILURE : -1;
    if (!take_option(request, option)) return cli_usage_error("lock");
  }
  if (argc - optind < 2) {
    cli_complain(argc == optind ? "there is no file to lock" : "there is no command to run");
    return cli_usage_error("lock");
  }
  request->file = argv[optind];
  argv += optind + 1;
  if (strcmp(argv[0], "-c") != 0 && strcmp(argv[0], "--command") != 0) {
    request->command.argv = (const char *const *)argv;
  } else if (argv[1] == NULL || argv[2] != NULL) {
    cli_complain("%s takes one argument", argv[0]);
    return cli_usage_error("lock");
  } else {
    request->command.shell = argv[1];
  }
  return 0;
}

/* The command is in our group: what the terminal sends has reached it by itself, other signals are handed on. It ends
   when it wants, and the lock is held until then. */
static int wait_for_command(safe_process *process, safe_cancel *cancel) {
  safe_wait_options options = SAFE_WAIT_OPTIONS_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int code, signal;

  options.timeout_ms = SAFE_FOREVER;
  options.cancel = cancel;
  while ((code = safe_process_wait(process, &options, &status, &error)) == SAFE_ECANCELED) {
    if (safe_cancel_create(&options.cancel) != SAFE_OK) options.cancel = NULL;
    cli_catch_signals(options.cancel);
    while ((signal = cli_next_signal()) != 0)
      if (!cli_signal_of_terminal()) cli_pass_signal(process, signal);
  }
  if (code == SAFE_OK) return cli_status(&status);
  cli_complain("%s", error.message);
  return EXIT_OWN_FAILURE;
}

static int run_locked(struct request *request, safe_cancel *cancel) {
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  safe_lock *lock;
  int status;
  int code = safe_lock_file(&lock, request->file, &request->lock, &error);

  if (code == SAFE_ECANCELED) return cli_end_by_signal(cli_next_signal());
  if (code != SAFE_OK) {
    cli_complain("%s", error.message);
    return code == SAFE_EBUSY || code == SAFE_ETIMEDOUT ? request->conflict_status : EXIT_OWN_FAILURE;
  }
  status = cli_spawn(&process, &request->command);
  if (status == 0) {
    status = wait_for_command(process, cancel);
    safe_process_free(process);
  }
  safe_unlock(lock);
  return status;
}

int cli_lock(int argc, char **argv) {
  static const safe_lock_options lock_defaults = SAFE_LOCK_OPTIONS_INIT;
  static const safe_spawn_options command_defaults = SAFE_SPAWN_OPTIONS_INIT;
  struct request request = {lock_defaults, command_defaults, NULL, EXIT_CONFLICT};
  safe_cancel *cancel;
  int status;

  request.lock.timeout_ms = SAFE_FOREVER;
  request.lock.method = cli_default_method();
  request.lock.holder_query_ms = 1000; /* a name is worth a moment to whoever reads it; usually it takes few ms */
  request.lock.create_mode = 0666;     /* as flock(1): users of other accounts may want to share it */
  request.lock.flags |= SAFE_LOCK_FOLLOW_SYMLINKS;
  request.command.group = SAFE_GROUP_HOST;
  status = read_arguments(&request, argc, argv);
  if (status != 0) return status < 0 ? 0 : status;
  if (safe_cancel_create(&cancel) != SAFE_OK) {
    cli_complain("there is not enough memory");
    return EXIT_OWN_FAILURE;
  }
  request.lock.cancel = cancel;
  cli_catch_signals(cancel);
  return run_locked(&request, cancel); /* the cancel stays: a signal may trigger it to the last moment */
}
