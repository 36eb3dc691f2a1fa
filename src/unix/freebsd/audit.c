/* SPDX-License-Identifier: MIT */
/*
 * What a child would inherit. Which descriptors these are fcntl(2) tells, of this process alone: of another one no
 * table of the kernel has the close-on-exec flag. What they are kern.proc.filedesc tells, which looks at every open
 * file, and so is asked aside.
 */
#include <sys/param.h>
#include <sys/sysctl.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "aside.h"
#include "audit_describe.h"
#include "os.h"
#include "own_locks.h"

/* How many are open; -1 where that is not told. */
static int count_open(void) {
  const int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_NFDS, 0};
  size_t size = sizeof(int);
  int count;

  return sysctl(name, 4, &count, &size, NULL, 0) == 0 ? count : -1;
}

static bool add(safe_handle_list *list, int fd) {
  safe_leak leak = {0};

  leak.handle = fd;
  leak.standard = fd <= STDERR_FILENO;
  if (!safe__own_lock_of(fd, &leak.lock_mode, &leak.lock_method)) leak.lock_mode = leak.lock_method = -1;
  return safe__leak_add(list, &leak);
}

/* The table has no highest number to ask for: all are looked at until as many were found as there are. */
static void list_all(uint32_t flags, int64_t deadline, safe_handle_list *list) {
  int open = count_open(), limit = getdtablesize(), seen = 0, fd, fd_flags;

  for (fd = 0; fd < limit && (open < 0 || seen < open); fd++) {
    if (fd % 1024 == 1023 && safe__os_now() >= deadline) {
      safe__leak_unknown(list, "The time for looking was over before all descriptors were seen.");
      return;
    }
    fd_flags = fcntl(fd, F_GETFD);
    if (fd_flags < 0) continue;
    seen++;
    if ((fd_flags & FD_CLOEXEC) != 0 || (fd <= STDERR_FILENO && (flags & SAFE_AUDIT_STANDARD) == 0)) continue;
    if (!add(list, fd)) {
      safe__leak_unknown(list, "There was not enough memory for all of them.");
      return;
    }
  }
}

static void take(const struct safe__described *item, safe_handle_list *list, safe_leak *leak) {
  char what[sizeof(item->what)];

  leak->kind = item->kind;
  memcpy(what, item->what, sizeof(what));
  what[sizeof(what) - 1] = '\0';
  safe__leak_name(leak, what);
  if (item->asked_lock && leak->lock_mode < 0)
    safe__leak_unknown(list, "Descriptor %d has had a flock; FreeBSD does not tell whether it still has.", item->fd);
}

static void take_all(const struct safe__descriptions *all, safe_handle_list *list) {
  int os_code = atomic_load(&all->os_code), at, missing = 0;

  for (at = 0; at < all->count; at++) {
    if (atomic_load(&all->items[at].known))
      take(&all->items[at], list, &list->items[at]);
    else
      missing++;
  }
  if (missing == 0) return;
  if (os_code != 0 || atomic_load(&all->done))
    safe__leak_unknown(list, "What %d of them are is not told (system error %d).", missing, os_code);
  else
    safe__leak_unknown(list, "What %d of them are was not found in time: a file system may not answer.", missing);
}

static void describe_all(safe_handle_list *list, int64_t deadline) {
  size_t at, size = sizeof(struct safe__descriptions) + list->count * sizeof(struct safe__described);
  struct safe__descriptions *all = safe__aside_memory(size);
  int os_code = ENOMEM;

  if (all != NULL) {
    all->pid = getpid();
    all->count = (int)list->count;
    for (at = 0; at < list->count; at++) all->items[at].fd = (int)list->items[at].handle;
    os_code = safe__aside(safe__audit_describe, all, -1, deadline);
    if (os_code == 0) take_all(all, list);
    safe__aside_free(all, size);
  }
  if (os_code != 0) safe__leak_unknown(list, "What they are could not be asked (system error %d).", os_code);
}

int safe__os_audit(int64_t pid, uint32_t flags, int64_t deadline, safe_handle_list *list, safe_error *error) {
  if (pid != safe__os_self()) {
    if (pid > INT32_MAX || (kill((pid_t)pid, 0) != 0 && errno == ESRCH))
      return safe__fail(error, SAFE_ENOENT, SAFE_STAGE_INSPECT, -1, "There is no process %lld.", (long long)pid);
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_INSPECT, -1,
                      "FreeBSD does not tell which descriptors of another process are closed on exec.");
  }
  list_all(flags, deadline, list);
  if (list->count > 0) describe_all(list, deadline);
  return SAFE_OK;
}
