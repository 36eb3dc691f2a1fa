/* SPDX-License-Identifier: MIT */
#include "own_locks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* When the table is full, what comes is not listed, and the system's view is all that is left. */
#define PLACES 1024

static struct place {
  _Atomic(uint64_t) word; /* 0: empty; BUSY: being filled in */
  _Atomic(uint64_t) device, inode;
} places[PLACES];

#define BUSY UINT64_C(1)

static uint64_t pack(int fd, int role, int mode, int method) {
  return ((uint64_t)(uint32_t)fd + 1) << 16 | (uint64_t)role << 8 | (uint64_t)mode << 4 | (uint64_t)method;
}

static int fd_of(uint64_t word) { return (int)(word >> 16) - 1; }

static struct place *find(int fd) {
  struct place *place;
  int step;

  for (step = 0; step < PLACES; step++) {
    place = &places[(fd + step) % PLACES];
    if (fd_of(atomic_load(&place->word)) == fd) return place;
  }
  return NULL;
}

static struct place *claim(int fd) {
  struct place *place;
  uint64_t empty;
  int step;

  for (step = 0; step < PLACES; step++) {
    place = &places[(fd + step) % PLACES];
    empty = 0;
    if (atomic_compare_exchange_strong(&place->word, &empty, BUSY)) return place;
  }
  return NULL;
}

void safe__own_lock_note(int fd, int role, int mode, int method) {
  struct place *place;
  struct stat status;

  /* Asked here, where the same file has just been locked, and not when somebody wants to know, who has no time. */
  if (fstat(fd, &status) != 0) return;
  place = find(fd); /* also of a copy that was only closed, in a forked child */
  if (place == NULL) place = claim(fd);
  if (place == NULL) return;
  atomic_store(&place->word, BUSY);
  atomic_store(&place->device, (uint64_t)status.st_dev);
  atomic_store(&place->inode, (uint64_t)status.st_ino);
  atomic_store(&place->word, pack(fd, role, mode, method));
}

void safe__own_lock_forget(int fd) {
  struct place *place = find(fd);

  if (place != NULL) atomic_store(&place->word, 0);
}

bool safe__own_lock_known(int fd) { return find(fd) != NULL; }

int safe__own_locks(dev_t device, ino_t inode, safe_holder_list *list) {
  safe_holder holder = {0};
  uint64_t word;
  int at, held = 0;

  holder.pid = safe__os_self();
  strncpy(holder.name, getprogname(), sizeof(holder.name) - 1);
  for (at = 0; at < PLACES; at++) {
    word = atomic_load(&places[at].word);
    if (word <= BUSY || atomic_load(&places[at].device) != (uint64_t)device ||
        atomic_load(&places[at].inode) != (uint64_t)inode || atomic_load(&places[at].word) != word)
      continue;
    holder.handle = fd_of(word);
    holder.role = (int32_t)(word >> 8 & 0xff);
    holder.mode = (int32_t)(word >> 4 & 0xf);
    holder.method = (int32_t)(word & 0xf);
    if (holder.role == SAFE_HOLDER_HOLDS) held++;
    safe__holder_add(list, &holder);
  }
  return held;
}
