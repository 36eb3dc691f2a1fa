/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <windows.h>

#include "cli.h"

static safe_cancel *volatile to_trigger;
static volatile LONG noted;
static HANDLE woken; /* or NULL, if there was no memory for it */

int32_t cli_default_method(void) { return SAFE_METHOD_FAR; }

static BOOL WINAPI on_event(DWORD event) {
  /* The numbers that a C program on Windows knows for them: SIGINT, SIGBREAK, SIGTERM. */
  InterlockedExchange(&noted, event == CTRL_C_EVENT ? 2 : event == CTRL_BREAK_EVENT ? 21 : 15);
  safe_cancel_trigger(to_trigger);
  if (woken != NULL) SetEvent(woken);
  return TRUE;
}

void cli_catch_signals(safe_cancel *cancel) {
  /* A handler runs on a thread of its own, and may still be about to trigger the cancel before: that one is kept. */
  to_trigger = cancel;
  if (woken == NULL) woken = CreateEventW(NULL, FALSE, FALSE, NULL);
  SetConsoleCtrlHandler(on_event, TRUE);
}

int cli_next_signal(void) { return (int)InterlockedExchange(&noted, 0); }

void cli_sleep(int64_t ms) {
  if (woken != NULL)
    WaitForSingleObject(woken, (DWORD)ms);
  else
    Sleep((DWORD)ms);
}

/* The console tells all its processes. */
bool cli_signal_of_terminal(void) { return true; }

int cli_end_by_signal(int signal) { return EXIT_SIGNAL + signal; }

void cli_pass_signal(safe_process *process, int signal) {
  (void)process;
  (void)signal;
}

/* A console has no foreground group: whoever shares it may use it. */
bool cli_has_terminal(void) { return false; }

int64_t cli_pid(void) { return (int64_t)GetCurrentProcessId(); }

int64_t cli_now_ms(void) {
  FILETIME now;

  GetSystemTimeAsFileTime(&now); /* 100 ns since 1601 */
  return (int64_t)(((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) / 10000) - 11644473600000;
}

void cli_tidy_up(void) {}
