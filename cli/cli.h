/* SPDX-License-Identifier: MIT */
/* What the verbs of the command share. */
#ifndef SAFEHOLD_CLI_H
#define SAFEHOLD_CLI_H

#include <stdbool.h>

#include "safehold.h"

/* Exit statuses; 126, 127 and 128+n as every shell has them, 124 and 125 as timeout(1). */
enum {
  EXIT_CONFLICT = 75, /* EX_TEMPFAIL of sysexits.h, as FreeBSD's lockf(1) has it: 1 could be the command's own */
  EXIT_TIMEOUT = 124,
  EXIT_OWN_FAILURE = 125,
  EXIT_NOT_RUNNABLE = 126,
  EXIT_NOT_FOUND = 127,
  EXIT_SIGNAL = 128
};

int cli_lock(int argc, char **argv);
int cli_run(int argc, char **argv);
int cli_why(int argc, char **argv);
int cli_holders(int argc, char **argv);
int cli_leaks(int argc, char **argv);

/* To stderr, after "safehold: ". */
void cli_complain(const char *format, ...)
#if defined(__GNUC__)
  __attribute__((format(printf, 1, 2)))
#endif
  ;

/* From now on what the library does is told on stderr. */
void cli_be_verbose(void);

/* To stdout; 0, or -1 after a complaint if it did not get there. */
int cli_print(const char *text);

/* Complains, points to --help, and answers EXIT_OWN_FAILURE. */
int cli_usage_error(const char *verb);

/* "1.5", "2s", "3m", "1h", "1d" in milliseconds, rounded up; false when it is none of these. */
bool cli_duration(const char *text, int64_t *ms);

/* "4096", "64K", "1.5M", "2G" in bytes, of which K is 1024; false when it is none of these. */
bool cli_bytes(const char *text, int64_t *bytes);
/* Digits alone. */
bool cli_number(const char *text, int64_t *number);

/* What came of an attempt to start the command: 0, or the status to exit with, after a complaint. */
int cli_started(int code, const safe_error *error);
/* Starts the command. 0, or the status to exit with, after a complaint. */
int cli_spawn(safe_process **process, const safe_spawn_options *options);

/* The status to exit with, like the child. */
int cli_status(const safe_exit *exit);

/* ---- Of the system (host_unix.c, host_win.c). */

/* flock(2) where there is one: it and fcntl locks do not see each other, and flock(1)'s users must be excluded. */
int32_t cli_default_method(void);

/*
 * From now on a signal that asks us to end (INT, TERM, HUP, QUIT, ALRM, USR1, USR2; Ctrl-C, Ctrl-Break) is noted, and
 * triggers the cancel. Called again, another cancel takes the place of the first, which is given up.
 */
void cli_catch_signals(safe_cancel *cancel);
/* The next signal that was noted, which is forgotten with this call; 0 if there is none. */
int cli_next_signal(void);
/* Sleeps, after cli_catch_signals: so long, or until a signal was noted. */
void cli_sleep(int64_t ms);
/* Whether that signal has come from the terminal, and so to the child in our own group as well. */
bool cli_signal_of_terminal(void);
/* Ends this process as the signal would have. Returns 128 + signal where that cannot be. */
int cli_end_by_signal(int signal);
/* To a child that is in our own process group. */
void cli_pass_signal(safe_process *process, int signal);
/* Whether the command may want to talk to a terminal, which only our own process group may. */
bool cli_has_terminal(void);
/* The number of this process. */
int64_t cli_pid(void);
/* Milliseconds since 1970. */
int64_t cli_now_ms(void);
/* Before anything else: what a careless parent may have left us. */
void cli_tidy_up(void);

#endif
