/* SPDX-License-Identifier: MIT */
/* The host's side of its guards. */
#include "guard.h"

#include <sys/types.h>

#include <errno.h>
#include <signal.h>
#include <sys/procctl.h>
#include <sys/procdesc.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "above_stdio.h"
#include "pass_descriptor.h"
#include "poll_wait.h"
#include "procdesc.h"
#include "usage.h"

#define GOING_MS 100 /* how long one may take to go before it is parked */
#define USAGE_MS 20  /* how long an answer is waited for */

static int open_sockets(int pair[2]) {
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return -1;
  pair[0] = safe__above_stdio(pair[0]);
  pair[1] = safe__above_stdio(pair[1]);
  if (pair[0] >= 0 && pair[1] >= 0) return 0;
  if (pair[0] >= 0) close(pair[0]);
  if (pair[1] >= 0) close(pair[1]);
  errno = EMFILE;
  return -1;
}

static int start(struct safe__guard *guard, struct safe__guard_post *post) {
  int pair[2], saved;

  if (open_sockets(pair) != 0) return errno;
  post->host = (pid_t)safe__os_self();
  post->socket = pair[1];
  guard->pid = safe__procdesc_fork(&guard->fd, PD_CLOEXEC | PD_DAEMON);
  if (guard->pid == 0) safe__guard_serve(post);
  saved = errno;
  close(pair[1]);
  guard->socket = pair[0];
  if (guard->pid > 0) return 0;
  close(pair[0]);
  return saved;
}

static void order(const struct safe__guard *guard, enum safe__guard_order what) {
  const char byte = (char)what;

  send(guard->socket, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT); /* if it cannot be told, it has gone */
}

void safe__guard_keep(struct safe__guard *guard) { order(guard, SAFE__GUARD_KEEP); }

void safe__guard_abandon(struct safe__guard *guard) {
  order(guard, SAFE__GUARD_RELEASE);
  close(guard->socket);
  if (safe__procdesc_ended(guard->fd, safe__deadline(GOING_MS)))
    safe__procdesc_close(guard->fd, guard->pid);
  else
    safe__procdesc_park(guard->fd, guard->pid);
  safe__free(guard);
}

/* Nobody waits for it: without a descriptor it is init's to reap. */
void safe__guard_release(struct safe__guard *guard, bool own) {
  if (guard == NULL) return;
  if (own) order(guard, SAFE__GUARD_RELEASE);
  close(guard->socket);
  close(guard->fd);
  safe__free(guard);
}

/* The answer comes at once, but for a system that is out of something. */
static int receive(const struct safe__guard *guard, int64_t deadline, struct safe__guard_answer *answer,
                   int *procdesc) {
  struct pollfd ready[2] = {{guard->socket, POLLIN, 0}, {guard->fd, POLLIN, 0}};

  *procdesc = -1;
  while (safe__poll(ready, 2, deadline) == 0)
    if (safe__os_now() >= deadline) return ETIMEDOUT;
  return safe__descriptor_receive(guard->socket, answer, sizeof(*answer), procdesc);
}

static int not_made(int os_code, const struct safe__plan *plan, safe_error *error) {
  if (os_code == ETIMEDOUT)
    return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_GUARD, -1,
                      "%s had not been started when the time was over: the guard process that was to do it did not.",
                      plan->candidates[0]);
  return safe__fail_os(error, os_code, SAFE_STAGE_GUARD, -1, "The guard process, or the child by it, cannot be made");
}

int safe__guard_make(struct safe__guard **out, const struct safe__child *child, struct safe__plan *plan,
                     int64_t deadline, pid_t *pid, int *procdesc, safe_error *error) {
  struct safe__guard_post post = {
    plan, 0, -1, child->group, child->keeping, (plan->flags & SAFE_SPAWN_DIE_WITH_HOST) != 0};
  struct safe__guard *guard = safe__alloc(sizeof(*guard));
  struct safe__guard_answer answer;
  int os_code;

  if (guard == NULL) return safe__fail_memory(error, SAFE_STAGE_GUARD);
  os_code = start(guard, &post);
  if (os_code != 0) {
    safe__free(guard);
    return not_made(os_code, plan, error);
  }
  os_code = receive(guard, deadline, &answer, procdesc);
  if (os_code == 0) os_code = answer.os_code;
  *procdesc = safe__above_stdio(*procdesc);
  if (os_code == 0 && *procdesc < 0) os_code = EMFILE;
  if (os_code != 0) {
    if (*procdesc >= 0) close(*procdesc);
    safe__guard_abandon(guard);
    return not_made(os_code, plan, error);
  }
  *pid = answer.child;
  *out = guard;
  return SAFE_OK;
}

bool safe__guard_lives(const struct safe__guard *guard) { return guard != NULL && !safe__procdesc_ended(guard->fd, 0); }

/* What is asked of a process that is no reaper would be answered for init's tree, and done to it: so this is asked
   first. A reaper is one until it is reaped, and nobody but us reaps it. */
static bool is_reaper(const struct safe__guard *guard, struct procctl_reaper_status *status) {
  return safe__guard_lives(guard) && !safe__procdesc_reaped(guard->fd) &&
         procctl(P_PID, guard->pid, PROC_REAP_STATUS, status) == 0 && (status->rs_flags & REAPER_STATUS_OWNED) != 0 &&
         status->rs_reaper == guard->pid;
}

#define MORE 64 /* than there were when their number was asked for */

size_t safe__guard_list(const struct safe__guard *guard, pid_t **pids) {
  struct procctl_reaper_status status;
  struct procctl_reaper_pids list = {0};
  size_t at, count = 0;

  *pids = NULL;
  if (!is_reaper(guard, &status)) return 0;
  list.rp_count = status.rs_descendants + MORE;
  list.rp_pids = safe__alloc(list.rp_count * sizeof(*list.rp_pids));
  if (list.rp_pids == NULL) return 0;
  *pids = safe__alloc(list.rp_count * sizeof(**pids));
  if (*pids != NULL && procctl(P_PID, guard->pid, PROC_REAP_GETPIDS, &list) == 0)
    for (at = 0; at < list.rp_count && (list.rp_pids[at].pi_flags & REAPER_PIDINFO_VALID) != 0; at++)
      (*pids)[count++] = list.rp_pids[at].pi_pid;
  safe__free(list.rp_pids);
  return count;
}

void safe__guard_signal_children(const struct safe__guard *guard, int signal) {
  struct procctl_reaper_status status;
  struct procctl_reaper_kill kill = {0};

  if (!is_reaper(guard, &status)) return;
  kill.rk_sig = signal;
  kill.rk_flags = REAPER_KILL_CHILDREN;
  procctl(P_PID, guard->pid, PROC_REAP_KILL, &kill);
}

void safe__guard_ask_usage(const struct safe__guard *guard, safe_exit *status) {
  struct pollfd ready = {guard->socket, POLLIN, 0};
  struct safe__usage usage;
  int64_t deadline = safe__deadline(USAGE_MS);
  int fd;

  if (!safe__guard_lives(guard)) return;
  order(guard, SAFE__GUARD_USAGE);
  while (safe__poll(&ready, 1, deadline) == 0)
    if (safe__os_now() >= deadline) return;
  if (safe__descriptor_receive(guard->socket, &usage, sizeof(usage), &fd) != 0) return;
  status->user_us = usage.user_us;
  status->system_us = usage.system_us;
  status->peak_memory = usage.peak_memory;
}
