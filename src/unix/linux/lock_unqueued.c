/* SPDX-License-Identifier: MIT */
/*
 * Whether nobody waits for a lock on a file, told without /proc/locks. Who waits sleeps in the lock call, and of those
 * that have the file open /proc/PID/task/TID/wchan tells where they sleep: in fcntl_setlk, or flock's
 * locks_lock_inode_wait, or, on other file systems, in functions with such names (nlmclnt_lock, nfs4_retry_setlk,
 * cifs_lock_add_if, dlm_posix_lock). Where it is not known where a thread sleeps, it may be one that waits.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "holder_query.h"
#include "in_exec.h"
#include "look.h"

static char state_of(int64_t process, int64_t thread) {
  struct safe__proc_stat stat;

  return !safe__is_in_exec(process) && safe__proc_thread_stat(process, thread, &stat) ? stat.state : 0;
}

/* One that is stopped, or frozen, has left the call for as long, and its place in the queue. One that has ended, or is
   in exec, is in no call at all. */
static bool may_sleep_in_call(char state) { return state != 0 && strchr("RTtZXx", state) == NULL; }

/* fcntl: where the compiler has made fcntl_setlk a part of its caller. */
static bool is_lock_wait(const char *channel) {
  return strstr(channel, "lock") != NULL || strstr(channel, "setlk") != NULL || strstr(channel, "fcntl") != NULL;
}

static bool may_queue(int64_t process, int64_t thread) {
  char channel[64];

  if (!may_sleep_in_call(state_of(process, thread))) return false;
  safe__look_channel(process, thread, channel, sizeof(channel));
  if (channel[0] != '\0') return is_lock_wait(channel);
  return may_sleep_in_call(state_of(process, thread)); /* else it was woken meanwhile */
}

static bool runs(int64_t process, int64_t thread) { return state_of(process, thread) == 'R'; }

/* Whether it is so of one of its threads; or there was no time to ask all of them. */
static bool has_one(const struct safe__holder_query *query, int64_t process,
                    bool (*is_one)(int64_t process, int64_t thread)) {
  bool found = false;
  int64_t thread;
  char path[40];
  DIR *folder;

  snprintf(path, sizeof(path), "/proc/%lld/task", (long long)process);
  folder = opendir(path);
  if (folder == NULL) return false; /* it has ended */
  while (!found && (thread = safe__proc_next(folder)) != 0)
    found = safe__os_now() >= query->deadline || is_one(process, thread);
  closedir(folder);
  return found;
}

static bool openers_have_one(const struct safe__holder_query *query, bool (*is_one)(int64_t process, int64_t thread)) {
  size_t at;

  for (at = 0; at < query->opener_count; at++)
    if ((at == 0 || query->openers[at].process != query->openers[at - 1].process) &&
        has_one(query, query->openers[at].process, is_one))
      return true;
  return false;
}

bool safe__nobody_queues(const struct safe__holder_query *query) { return !openers_have_one(query, may_queue); }

bool safe__opener_runs(const struct safe__holder_query *query) { return openers_have_one(query, runs); }
