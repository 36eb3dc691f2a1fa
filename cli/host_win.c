/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <windows.h>

#include "cli.h"

static safe_cancel *to_trigger;
static volatile LONG caught;

int32_t cli_default_method(void) { return SAFE_METHOD_FAR; }

static BOOL WINAPI on_event(DWORD event) {
  /* The numbers that a C program on Windows knows for them: SIGINT, SIGBREAK, SIGTERM. */
  InterlockedCompareExchange(&caught, event == CTRL_C_EVENT ? 2 : event == CTRL_BREAK_EVENT ? 21 : 15, 0);
  safe_cancel_trigger(to_trigger);
  return TRUE;
}

void cli_catch_signals(safe_cancel *cancel) {
  to_trigger = cancel;
  SetConsoleCtrlHandler(on_event, TRUE);
}

int cli_caught_signal(void) { return (int)caught; }

int cli_end_by_signal(int signal) { return EXIT_SIGNAL + signal; }

/* A console has no foreground group. */
void cli_lend_terminal(safe_process *process) { (void)process; }
void cli_take_terminal_back(void) {}

/* The console has told the child already, as it is in our own group. */
void cli_pass_signal(safe_process *process, int signal) {
  (void)process;
  (void)signal;
}
