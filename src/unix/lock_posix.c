/* SPDX-License-Identifier: MIT */
/*
 * Method POSIX: fcntl's record locks, for systems and file systems with nothing better. POSIX gives them to the
 * process: two threads do not exclude each other, and closing any descriptor of the file drops all of them. What can
 * be repaired is repaired in a table of the files that this process has locked so: threads exclude each other in it,
 * and a lock file's descriptor is closed only when the last of its locks is gone. What cannot be repaired is a
 * close by somebody who does not know of the table.
 *
 * F_SETLKW is never called: its deadlock detection takes the process for one waiter and finds cycles that are none.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "lock_calls.h"
#include "uncancelled.h"

struct range {
  struct range *next;
  struct safe__claim claim;
  const struct safe__file *file; /* whose lock it is */
};

/* One file that is locked by this process. */
struct inode {
  struct inode *next;
  struct safe__file_id id;
  struct range *ranges;
  int *later; /* descriptors to be closed when there are no more ranges */
  size_t later_count;
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER; /* held for calls that do not block */
static struct inode *inodes;
static atomic_size_t inode_count; /* to be read without the guard */

static bool same(const struct safe__file_id *one, const struct safe__file_id *other) {
  return one->volume == other->volume && one->low == other->low && one->high == other->high;
}

/* The link that points to it, or to the end of the list. */
static struct inode **find(const struct safe__file_id *id) {
  struct inode **link = &inodes;

  while (*link != NULL && !same(&(*link)->id, id)) link = &(*link)->next;
  return link;
}

static int64_t end_of(const struct safe__claim *claim) {
  return claim->length == 0 ? INT64_MAX : claim->offset + claim->length;
}

static bool excludes(const struct range *range, const struct safe__file *file, const struct safe__claim *claim) {
  if (range->file == file) return false; /* a conversion */
  if (range->claim.mode == SAFE_LOCK_SHARED && claim->mode == SAFE_LOCK_SHARED) return false;
  return range->claim.offset < end_of(claim) && claim->offset < end_of(&range->claim);
}

static int set(int fd, short type, int64_t from, int64_t to) {
  struct flock range;
  int result;

  memset(&range, 0, sizeof(range));
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = (off_t)from;
  range.l_len = to == INT64_MAX ? 0 : (off_t)(to - from);
  do result = fcntl(fd, F_SETLK, &range);
  while (result != 0 && errno == EINTR);
  if (result == 0) return 0;
  return errno == EACCES ? EAGAIN : errno; /* POSIX allows either for a lock that is held */
}

static struct inode *get(const struct safe__file_id *id) {
  struct inode **link = find(id);

  if (*link == NULL && (*link = safe__alloc(sizeof(**link))) != NULL) {
    (*link)->id = *id;
    atomic_fetch_add(&inode_count, 1);
  }
  return *link;
}

static void drop_if_unused(struct inode *inode) {
  struct inode **link = find(&inode->id);
  size_t at;

  if (inode->ranges != NULL) return;
  for (at = 0; at < inode->later_count; at++) safe__close_uncancelled(inode->later[at]);
  *link = inode->next;
  atomic_fetch_sub(&inode_count, 1);
  safe__free(inode->later);
  safe__free(inode);
}

static int try_in(struct inode *inode, struct safe__file *file, const struct safe__claim *claim) {
  struct range *range, *mine = NULL;
  bool fresh;
  int os_code;

  for (range = inode->ranges; range != NULL; range = range->next) {
    if (excludes(range, file, claim)) return EAGAIN;
    if (range->file == file) mine = range;
  }
  fresh = mine == NULL;
  if (fresh) mine = safe__alloc(sizeof(*mine));
  if (mine == NULL) return ENOMEM;
  os_code = set(file->fd, claim->mode == SAFE_LOCK_SHARED ? F_RDLCK : F_WRLCK, claim->offset, end_of(claim));
  if (os_code != 0) {
    if (fresh) safe__free(mine);
    return os_code;
  }
  mine->claim = *claim;
  mine->file = file;
  if (fresh) {
    mine->next = inode->ranges;
    inode->ranges = mine;
  }
  return 0;
}

/* A forked child has none of the locks. What its parent's threads were at in the table cannot be known, so that its
   memory is given up. */
static void forget(void) {
  static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

  guard = fresh;
  inodes = NULL;
  atomic_store(&inode_count, 0);
}

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(NULL, NULL, forget); }

int safe__posix_try(struct safe__file *file, const struct safe__claim *claim, safe_error *error) {
  struct safe__file_id id;
  struct inode *inode;
  int os_code = ENOMEM;

  if (!safe__os_file_id(file, &id)) return safe__lock_failed(EBADF, error);
  pthread_mutex_lock(&guard);
  inode = get(&id);
  if (inode != NULL) {
    os_code = try_in(inode, file, claim);
    drop_if_unused(inode);
  }
  pthread_mutex_unlock(&guard);
  if (os_code == ENOMEM) return safe__fail_memory(error, SAFE_STAGE_LOCK);
  return os_code == 0 ? SAFE_OK : safe__lock_failed(os_code, error);
}

/* Unlocks [from, to) except where another thread's shared lock lies: that piece is the process's still. */
static int clear(const struct inode *inode, int fd, int64_t from, int64_t to) {
  const struct range *range;
  int os_code;

  for (range = inode->ranges; range != NULL; range = range->next) {
    int64_t first = range->claim.offset, last = end_of(&range->claim);
    if (last <= from || to <= first) continue;
    os_code = first > from ? clear(inode, fd, from, first) : 0;
    if (os_code == 0 && last < to) os_code = clear(inode, fd, last, to);
    return os_code;
  }
  return set(fd, F_UNLCK, from, to);
}

int safe__posix_unlock(struct safe__file *file, const struct safe__claim *claim) {
  struct range **link, *range;
  struct safe__file_id id;
  struct inode *inode;
  int os_code = EBADF;

  if (!safe__os_file_id(file, &id)) return SAFE_EBADF;
  pthread_mutex_lock(&guard);
  inode = *find(&id);
  for (link = inode == NULL ? NULL : &inode->ranges; link != NULL && (range = *link) != NULL; link = &range->next) {
    if (range->file != file) continue;
    *link = range->next;
    safe__free(range);
    os_code = clear(inode, file->fd, claim->offset, end_of(claim));
    drop_if_unused(inode);
    break;
  }
  pthread_mutex_unlock(&guard);
  return os_code == 0 ? SAFE_OK : safe__os_translate(os_code);
}

static bool keep_for_later(struct inode *inode, int fd) {
  int *more = safe__realloc(inode->later, (inode->later_count + 1) * sizeof(*more));

  if (more == NULL) return false;
  inode->later = more;
  inode->later[inode->later_count++] = fd;
  return true;
}

/* Also for locks of the other methods: their files may be somebody's POSIX locks' too. */
void safe__close_locked(int fd, const struct safe__file *file) {
  struct safe__file_id id;
  struct inode *inode;
  bool kept = false;

  if (atomic_load(&inode_count) > 0) {
    id.volume = (uint64_t)file->device;
    id.low = (uint64_t)file->inode;
    id.high = 0;
    pthread_mutex_lock(&guard);
    inode = *find(&id);
    kept = inode != NULL && keep_for_later(inode, fd);
    pthread_mutex_unlock(&guard);
  }
  if (!kept) safe__close_uncancelled(fd);
}
