/* SPDX-License-Identifier: MIT */
#include "lock_wait.h"

#if defined(__linux__) && !defined(ZTS)
#include <dirent.h>
#include <unistd.h>
#endif

#define PAUSE_MS 10 /* a lock that is given sooner costs no look at who has it */
#define LOOKS 2
#define QUERY_MS 100 /* that look, at most */

static int begin(const struct safehold_lock_ask *ask, const struct safehold_wait *wait, safe_lock_wait **pending,
                 safe_error *error) {
  safe_lock_options options = ask->options;

  options.timeout_ms = safehold_wait_left_ms(wait);
  if (ask->path != NULL) return safe_lock_begin(pending, ask->path, &options, error);
  return safe_lock_begin_handle(pending, ask->file, &options, error);
}

#if defined(__linux__) && !defined(ZTS)

/* The one open file is the request's. All processes are looked through only where there is another, as that takes
   milliseconds, in which a grant would not be noticed. */
static bool has_it_twice(const struct safehold_lock_ask *ask) {
  DIR *folder = opendir("/proc/self/fd");
  zend_stat_t wanted, status;
  struct dirent *entry;
  int count = 0;

  if (folder == NULL) return false;
  if ((ask->path != NULL ? zend_stat(ask->path, &wanted) : zend_fstat(ask->file, &wanted)) == 0)
    while (count < 2 && (entry = readdir(folder)) != NULL)
      count += entry->d_name[0] != '.' && zend_fstat(atoi(entry->d_name), &status) == 0 &&
               status.st_ino == wanted.st_ino && status.st_dev == wanted.st_dev;
  closedir(folder);
  return count == 2;
}

/* Whether all who have the lock are this process. Then nobody can give it back: the one thread there is waits. It is
   not certain where another process shares the locked open file, as after pcntl_fork(), as each of them can unlock it.
   Processes that may not be looked at are of other users, and could share it only through a child that unlocks for its
   parent. */
static bool waits_for_itself(const struct safehold_lock_ask *ask) {
  char open_file[64];
  safe_holder_list *list = NULL;
  bool own = false, others = false;
  size_t at;

  snprintf(open_file, sizeof(open_file), "/proc/%ld/fd/%d", (long)getpid(), ask->file);
  if (safe_lock_holders(ask->path != NULL ? ask->path : open_file, QUERY_MS, &list, NULL) != SAFE_OK) return false;
  for (at = 0; at < safe_holder_list_count(list); at++) {
    const safe_holder *holder = safe_holder_list_get(list, at);

    if (holder->role != SAFE_HOLDER_HOLDS || holder->method != ask->options.method) continue;
    own = own || holder->pid == getpid();
    others = others || holder->pid != getpid();
  }
  safe_holder_list_free(list);
  return own && !others;
}

#else

/* Another thread could give it back; elsewhere the system does not tell who has it. */
static bool has_it_twice(const struct safehold_lock_ask *ask) {
  (void)ask;
  return false;
}

static bool waits_for_itself(const struct safehold_lock_ask *ask) { return has_it_twice(ask); }

#endif

static int fail_own(safe_error *error) {
  error->code = SAFE_EDEADLK;
  error->holder_pid = getpid();
  snprintf(error->message, sizeof(error->message),
           "This script has a lock on the file already, and would wait for itself.");
  return SAFE_EDEADLK;
}

/* A lock that is found may be the request's own, granted since the pause: hence the second pause, and see attempt(). */
static int wait_for_grant(const struct safehold_lock_ask *ask, struct safehold_wait *wait, safe_lock_wait *pending,
                          int *looks) {
  safe_handle handle = safe_lock_wait_handle(pending);
  int code;

  if (*looks == 0) return safehold_wait_for(wait, handle, ask->stop_on_signal);
  code = safehold_wait_a_while(wait, handle, ask->stop_on_signal, PAUSE_MS);
  if (code != SAFE_EAGAIN) return code;
  if (!has_it_twice(ask) || !waits_for_itself(ask)) {
    *looks = 0;
    return SAFE_OK;
  }
  return --*looks == 0 ? SAFE_EDEADLK : SAFE_OK;
}

/* SAFE_EAGAIN: to be asked for anew. */
static int attempt(const struct safehold_lock_ask *ask, struct safehold_wait *wait, safe_lock **lock,
                   safe_error *error) {
  double until = wait->until;
  safe_lock_wait *pending;
  int looks = LOOKS;
  int code = begin(ask, wait, &pending, error);

  if (code != SAFE_OK) return code;
  while ((code = safe_lock_wait_poll(pending)) == SAFE_EAGAIN) {
    code = wait_for_grant(ask, wait, pending, &looks);
    if (code == SAFE_OK) continue;
    if (code == SAFE_ETIMEDOUT && wait->until == until) break;
    safe_lock_wait_cancel(pending);
    /* Now that nothing is asked for, what this process has is what it had before. */
    if (code == SAFE_EDEADLK && waits_for_itself(ask)) return fail_own(error);
    return code == SAFE_ETIMEDOUT || code == SAFE_EDEADLK ? SAFE_EAGAIN : code;
  }
  if (code != SAFE_EOWNER) return safe_lock_finish(pending, lock, error);
  safe_lock_wait_cancel(pending); /* a handler has forked, and the request is the parent's */
  return SAFE_EAGAIN;
}

int safehold_lock_wait(const struct safehold_lock_ask *ask, struct safehold_wait *wait, safe_lock **lock,
                       safe_error *error) {
  int code;

  *lock = NULL;
  /* A handler may have changed how long there is to wait (set_time_limit). */
  do code = attempt(ask, wait, lock, error);
  while (code == SAFE_EAGAIN || (code == SAFE_ETIMEDOUT && safehold_wait_left_ms(wait) != 0));
  return code;
}
