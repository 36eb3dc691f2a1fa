/* SPDX-License-Identifier: MIT */
#include "child_signal.h"

#include <errno.h>
#include <signal.h>

static bool exists(int signal_number) {
  sigset_t set;

  sigemptyset(&set);
  return signal_number == 0 || (signal_number > 0 && sigaddset(&set, signal_number) == 0);
}

static int say(const struct safe__child *child, int signal_number, bool group, long result, safe_error *error) {
  long long pid = child->pid;

  switch (result) {
  case 0:
    return SAFE_OK;
  case -ESRCH:
    return safe__fail(error, SAFE_ESRCH, SAFE_STAGE_STOP, -1, "Process %lld has ended%s.", pid,
                      group ? ", and so has its group" : "");
  case -EINVAL: /* beyond what the C library knows */
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "There is no signal %d.", signal_number);
  case -ENOTSUP:
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_STOP, -1,
                      "This program has reaped process %lld itself, and who has its number as a group is not known.",
                      pid);
  default:
    return safe__fail_os(error, -result, SAFE_STAGE_STOP, -1, "Signal %d could not be sent to %sprocess %lld",
                         signal_number, group ? "the group of " : "", pid);
  }
}

int safe__os_child_signal(struct safe__child *child, int signal_number, bool group, safe_error *error) {
  if (!exists(signal_number)) return say(child, signal_number, group, -EINVAL, error);
  if (group && child->group == SAFE_GROUP_HOST)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                      "The child has no group of its own: it was started with SAFE_GROUP_HOST.");
  return say(child, signal_number, group, safe__child_kill(child, signal_number, group), error);
}
