/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2};
#define COUNT (sizeof(numbers) / sizeof(numbers[0]))

static safe_cancel *volatile to_trigger;
static volatile sig_atomic_t noted[COUNT], from_terminal[COUNT];
static bool last_from_terminal;

int32_t cli_default_method(void) { return SAFE_METHOD_FLOCK; }

static void on_signal(int number, siginfo_t *info, void *context) {
  size_t at;

  (void)context;
  for (at = 0; at < COUNT; at++)
    if (numbers[at] == number) {
      from_terminal[at] = info->si_code > 0; /* sent by the kernel, not by a process: sigaction(2) */
      noted[at] = 1;
    }
  safe_cancel_trigger(to_trigger);
}

void cli_catch_signals(safe_cancel *cancel) {
  safe_cancel *before = to_trigger;
  struct sigaction action, old;
  size_t at;

  to_trigger = cancel;
  safe_cancel_free(before); /* a handler runs on this thread, and so is not using it now */
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  for (at = 0; at < COUNT; at++) {
    /* What is ignored stays so: nohup(1), and a shell's background jobs. */
    if (sigaction(numbers[at], NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(numbers[at], &action, NULL);
  }
}

int cli_next_signal(void) {
  size_t at;

  for (at = 0; at < COUNT; at++)
    if (noted[at]) {
      noted[at] = 0;
      last_from_terminal = from_terminal[at] != 0;
      return numbers[at];
    }
  return 0;
}

static bool is_any_noted(void) {
  size_t at;

  for (at = 0; at < COUNT && !noted[at];) at++;
  return at < COUNT;
}

void cli_sleep(int64_t ms) {
  struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
  sigset_t ours, before;
  size_t at;

  /* Held off but for the sleep itself: one that came between the look and the sleep would not end it. */
  sigemptyset(&ours);
  for (at = 0; at < COUNT; at++) sigaddset(&ours, numbers[at]);
  sigprocmask(SIG_BLOCK, &ours, &before);
  if (!is_any_noted()) pselect(0, NULL, NULL, NULL, &time, &before);
  sigprocmask(SIG_SETMASK, &before, NULL);
}

bool cli_signal_of_terminal(void) { return last_from_terminal; }

int cli_end_by_signal(int number) {
  signal(number, SIG_DFL);
  raise(number);
  return EXIT_SIGNAL + number;
}

void cli_pass_signal(safe_process *process, int number) { kill((pid_t)safe_process_pid(process), number); }

bool cli_has_terminal(void) { return isatty(STDIN_FILENO) == 1; }

int64_t cli_pid(void) { return getpid(); }

int64_t cli_now_ms(void) {
  struct timespec now;

  return clock_gettime(CLOCK_REALTIME, &now) == 0 ? (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 : 0;
}

void cli_tidy_up(void) {
  int fd;

  /* Closed standard streams: messages must not go into whatever file is opened next. */
  do fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= 2);
  if (fd > 2) close(fd);
  /* An ignored SIGCHLD costs the child's exit status on older kernels. */
  signal(SIGCHLD, SIG_DFL);
}
