/* SPDX-License-Identifier: MIT */
#include "lock_itself.h"

#if defined(__linux__) && !defined(ZTS)

#include <dirent.h>
#include <unistd.h>

#define QUERY_MS 1000 /* at most; it is seldom asked */

bool safehold_lock_may_wait_for_itself(const struct safehold_lock_ask *ask, bool asked) {
  int count = 0, expected = asked || ask->path == NULL ? 1 : 0;
  DIR *folder = opendir("/proc/self/fd");
  zend_stat_t wanted, status;
  struct dirent *entry;

  if (folder == NULL) return false;
  if ((ask->path != NULL ? zend_stat(ask->path, &wanted) : zend_fstat(ask->file, &wanted)) == 0)
    while (count <= expected && (entry = readdir(folder)) != NULL)
      count += entry->d_name[0] != '.' && zend_fstat(atoi(entry->d_name), &status) == 0 &&
               status.st_ino == wanted.st_ino && status.st_dev == wanted.st_dev;
  closedir(folder);
  return count > expected;
}

bool safehold_lock_waits_for_itself(const struct safehold_lock_ask *ask) {
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
bool safehold_lock_may_wait_for_itself(const struct safehold_lock_ask *ask, bool asked) {
  (void)ask, (void)asked;
  return false;
}

bool safehold_lock_waits_for_itself(const struct safehold_lock_ask *ask) {
  (void)ask;
  return false;
}

#endif
