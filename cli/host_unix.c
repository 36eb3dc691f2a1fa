/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "cli.h"

static safe_cancel *to_trigger;
static volatile sig_atomic_t caught;
static pid_t terminal_owner; /* our own group while the child's has the terminal; 0 = it has not */

int32_t cli_default_method(void) { return SAFE_METHOD_FLOCK; }

static void on_signal(int number) {
  if (caught == 0) caught = number;
  safe_cancel_trigger(to_trigger);
}

void cli_catch_signals(safe_cancel *cancel) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action, old;
  size_t at;

  to_trigger = cancel;
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (at = 0; at < sizeof(numbers) / sizeof(numbers[0]); at++) {
    /* What is ignored stays so: nohup(1), and a shell's background jobs. */
    if (sigaction(numbers[at], NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(numbers[at], &action, NULL);
  }
}

int cli_caught_signal(void) { return caught; }

int cli_end_by_signal(int number) {
  signal(number, SIG_DFL);
  raise(number);
  return EXIT_SIGNAL + number;
}

static void set_terminal(pid_t group) {
  sigset_t tty_output, old;

  /* Whoever is not in the foreground would be stopped for asking. */
  sigemptyset(&tty_output);
  sigaddset(&tty_output, SIGTTOU);
  sigprocmask(SIG_BLOCK, &tty_output, &old);
  tcsetpgrp(STDIN_FILENO, group);
  sigprocmask(SIG_SETMASK, &old, NULL);
}

void cli_lend_terminal(safe_process *process) {
  pid_t child = (pid_t)safe_process_pid(process);

  if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp()) return;
  terminal_owner = getpgrp();
  set_terminal(child);
  kill(-child, SIGCONT); /* it may have asked the terminal before, and been stopped for it */
}

void cli_take_terminal_back(void) {
  if (terminal_owner != 0) set_terminal(terminal_owner);
  terminal_owner = 0;
}

void cli_pass_signal(safe_process *process, int number) { kill((pid_t)safe_process_pid(process), number); }
