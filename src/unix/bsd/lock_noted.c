/* SPDX-License-Identifier: MIT */
/* The lock calls, with a note of what this process holds, as neither system tells. */
#include "lock_ask.h"
#include "lock_calls.h"
#include "own_locks.h"

int safe__lock_call(int fd, const struct safe__claim *claim, bool wait) {
  int os_code;

  if (wait) safe__own_wait_note(fd, claim);
  os_code = safe__lock_ask(fd, claim, wait);
  if (os_code == 0)
    safe__own_lock_note(fd, claim, NULL);
  else if (wait)
    safe__own_wait_forget(fd);
  return os_code;
}

int safe__unlock_call(int fd, const struct safe__claim *claim) {
  safe__own_lock_forget(fd, claim); /* first: the number is not ours any more once somebody else closes it */
  return safe__lock_drop(fd, claim);
}
