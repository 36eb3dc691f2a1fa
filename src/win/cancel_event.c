/* SPDX-License-Identifier: MIT */
/* A cancel is a manual-reset event, which every wait takes along. There is no fork: the process never changes. */
#include "win.h"

struct safe_cancel {
  HANDLE event;
};

int safe__os_cancel_create(safe_cancel **cancel) {
  safe_cancel *made = safe__alloc(sizeof(*made));
  DWORD failure;

  if (made == NULL) return SAFE_ENOMEM;
  made->event = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (made->event == NULL) {
    failure = GetLastError();
    safe__free(made);
    return safe__os_translate(failure);
  }
  *cancel = made;
  return SAFE_OK;
}

void safe__os_cancel_trigger(safe_cancel *cancel) { SetEvent(cancel->event); }

void safe__os_cancel_free(safe_cancel *cancel) {
  CloseHandle(cancel->event);
  safe__free(cancel);
}

bool safe__os_cancel_triggered(const safe_cancel *cancel) {
  return cancel != NULL && safe__win_signalled(cancel->event);
}

HANDLE safe__win_cancel_event(const safe_cancel *cancel) { return cancel->event; }

int safe__os_sleep(int64_t deadline, safe_cancel *cancel, bool interruptible) {
  (void)interruptible; /* there are no signals */
  if (cancel != NULL) return safe__win_wait(&cancel->event, 1, deadline) == WAIT_OBJECT_0 ? SAFE_ECANCELED : SAFE_OK;
  do Sleep(safe__win_left(deadline));
  while (safe__os_now() < deadline);
  return SAFE_OK;
}

int64_t safe__os_self(void) { return (int64_t)GetCurrentProcessId(); }

/* Threads are not cancelled here: TerminateThread leaves nobody a choice. */
int safe__os_hold_cancellation(void) { return 0; }

void safe__os_allow_cancellation(int held) { (void)held; }
