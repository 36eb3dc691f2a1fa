/* SPDX-License-Identifier: MIT */
/*
 * One handle to wait for several things: an event that the process's thread pool sets when one of them comes. A wait
 * object of the pool is about one handle and fires once; nothing of ours blocks a thread of the pool.
 */
#include "win.h"

struct safe__win_poller {
  HANDLE event;
  PTP_TIMER timer;
  PTP_WAIT waits[2]; /* made anew each time: Wine lets one that is turned to another handle fire for the first one */
  /* Copies: the lock request's event may be closed before the poller is told, and a wait for a closed handle has
     no meaning. */
  HANDLE watched[2];
};

static VOID CALLBACK wait_fired(PTP_CALLBACK_INSTANCE instance, PVOID event, PTP_WAIT wait, TP_WAIT_RESULT result) {
  (void)instance, (void)wait, (void)result;
  SetEvent(event);
}

static VOID CALLBACK timer_fired(PTP_CALLBACK_INSTANCE instance, PVOID event, PTP_TIMER timer) {
  (void)instance, (void)timer;
  SetEvent(event);
}

/* Afterwards no callback runs, and none will: those that are queued are withdrawn, and none takes longer than it takes
   to set an event. */
static void disarm(struct safe__win_poller *poller) {
  int at;

  if (poller->timer != NULL) {
    SetThreadpoolTimer(poller->timer, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(poller->timer, TRUE);
  }
  for (at = 0; at < 2; at++) {
    if (poller->waits[at] != NULL) {
      SetThreadpoolWait(poller->waits[at], NULL, NULL);
      WaitForThreadpoolWaitCallbacks(poller->waits[at], TRUE);
      CloseThreadpoolWait(poller->waits[at]);
      poller->waits[at] = NULL;
    }
    safe__win_close(&poller->watched[at]);
  }
}

static void free_poller(struct safe__win_poller *poller) {
  disarm(poller);
  if (poller->timer != NULL) CloseThreadpoolTimer(poller->timer);
  safe__win_close(&poller->event);
  safe__free(poller);
}

static int make(struct safe__win_poller **out) {
  struct safe__win_poller *poller = safe__alloc(sizeof(*poller));
  DWORD failure;

  if (poller == NULL) return SAFE_ENOMEM;
  poller->event = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (poller->event != NULL) poller->timer = CreateThreadpoolTimer(timer_fired, poller->event, NULL);
  if (poller->timer != NULL) {
    *out = poller;
    return SAFE_OK;
  }
  failure = GetLastError();
  free_poller(poller);
  return safe__os_translate(failure);
}

static bool watch(struct safe__win_poller *poller, int at, HANDLE handle) {
  HANDLE self = GetCurrentProcess();

  if (!DuplicateHandle(self, handle, self, &poller->watched[at], SYNCHRONIZE, FALSE, 0)) return false;
  poller->waits[at] = CreateThreadpoolWait(wait_fired, poller->event, NULL);
  if (poller->waits[at] == NULL) return false;
  SetThreadpoolWait(poller->waits[at], poller->watched[at], NULL);
  return true;
}

/* Relative, in units of 100 ns and negative: the absolute ones are the wall clock's. */
static void set_timer(struct safe__win_poller *poller, int64_t at) {
  int64_t left = at - safe__os_now();
  ULARGE_INTEGER due;
  FILETIME when;

  if (left <= 0) {
    SetEvent(poller->event);
    return;
  }
  due.QuadPart = (ULONGLONG) - (left / 100 + 1);
  when.dwLowDateTime = due.LowPart;
  when.dwHighDateTime = due.HighPart;
  SetThreadpoolTimer(poller->timer, &when, 0, 0);
}

void safe__os_poller_none(struct safe__poller *poller) { poller->made = NULL; }

int safe__os_poller_arm(struct safe__poller *poller, safe_handle ready, safe_cancel *cancel, int64_t at) {
  int code = poller->made == NULL ? make(&poller->made) : SAFE_OK;

  if (code != SAFE_OK) return code;
  disarm(poller->made);
  ResetEvent(poller->made->event);
  /* A handle that is signalled already makes its wait fire at once. */
  if ((ready != SAFE_INVALID_HANDLE && !watch(poller->made, 0, ready)) ||
      (cancel != NULL && !watch(poller->made, 1, safe__win_cancel_event(cancel)))) {
    code = safe__os_translate(GetLastError());
    SetEvent(poller->made->event); /* rather woken for nothing than never */
    return code;
  }
  if (at != SAFE__NEVER) set_timer(poller->made, at);
  return SAFE_OK;
}

safe_handle safe__os_poller_handle(const struct safe__poller *poller) { return poller->made->event; }

void safe__os_poller_close(struct safe__poller *poller) {
  if (poller->made != NULL) free_poller(poller->made);
  poller->made = NULL;
}
