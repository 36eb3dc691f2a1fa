/* SPDX-License-Identifier: MIT */
#include "lock_itself.h"

#if defined(__linux__) && !defined(ZTS)

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUERY_MS 1000 /* at most; it is seldom asked */

/* Not fstat(), which asks the server: among what the script has open may be a file of one that does not answer. */
static bool identify(int file, const char *path, struct statx *status) {
  return statx(file, path, AT_STATX_DONT_SYNC | AT_EMPTY_PATH, STATX_INO, status) == 0;
}

static bool is_same(const struct statx *one, const struct statx *other) {
  return one->stx_ino == other->stx_ino && one->stx_dev_major == other->stx_dev_major &&
         one->stx_dev_minor == other->stx_dev_minor;
}

bool safehold_lock_may_wait_for_itself(const struct safehold_lock_ask *ask, bool asked) {
  int count = 0, expected = asked || ask->path == NULL ? 1 : 0;
  DIR *folder = opendir("/proc/self/fd");
  struct statx wanted, status;
  struct dirent *entry;

  if (folder == NULL) return false;
  if (ask->path != NULL ? identify(AT_FDCWD, ask->path, &wanted) : identify(ask->file, "", &wanted))
    while (count <= expected && (entry = readdir(folder)) != NULL)
      count += entry->d_name[0] != '.' && identify(atoi(entry->d_name), "", &status) && is_same(&status, &wanted);
  closedir(folder);
  return count > expected;
}

/* Methods that see each other have a bit in common. */
static int kinds_of(int method) {
  switch (method) {
  case SAFE_METHOD_FLOCK:
    return 1;
  case SAFE_METHOD_OFD:
  case SAFE_METHOD_POSIX:
    return 2;
  case SAFE_METHOD_BOTH:
    return 3;
  default:
    return 0;
  }
}

static bool overlap(const safe_holder *holder, const safe_lock_options *wanted) {
  return (wanted->length == 0 || holder->offset - wanted->offset < wanted->length) &&
         (holder->length == 0 || wanted->offset - holder->offset < holder->length);
}

static bool keeps_out(const safe_holder *holder, const safe_lock_options *wanted) {
  return holder->role == SAFE_HOLDER_HOLDS && (kinds_of(holder->method) & kinds_of(wanted->method)) != 0 &&
         (holder->mode != SAFE_LOCK_SHARED || wanted->mode != SAFE_LOCK_SHARED) && overlap(holder, wanted);
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

    if (!keeps_out(holder, &ask->options)) continue;
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
