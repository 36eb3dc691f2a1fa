/* SPDX-License-Identifier: MIT */
#include "own_locks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Where there is no place near its number, a descriptor is not listed, and the system's view is all that is left. */
#define PLACES 1024
#define NEAR 16

static struct place {
  _Atomic(uint64_t) word; /* 0: empty; BUSY: being filled in */
  _Atomic(uint64_t) device, inode;
} places[PLACES];

#define BUSY UINT64_C(1)

/* The process whose table it is: a forked child is born with a copy, and has none of the locks. */
static _Atomic int64_t owner;

static uint64_t pack(int fd, int role, const struct safe__claim *claim) {
  return ((uint64_t)(uint32_t)fd + 1) << 16 | (uint64_t)role << 8 | (uint64_t)claim->mode << 4 |
         (uint64_t)claim->method;
}

static int fd_of(uint64_t word) { return (int)(word >> 16) - 1; }

static int role_of(uint64_t word) { return (int)(word >> 8 & 0xff); }

static void adopt(void) {
  int64_t self = safe__os_self(), before = atomic_exchange(&owner, self);
  int at;

  if (before == self || before == 0) return;
  for (at = 0; at < PLACES; at++) atomic_store(&places[at].word, 0);
}

static struct place *find(int fd) {
  struct place *place;
  int step;

  for (step = 0; step < NEAR; step++) {
    place = &places[(fd + step) % PLACES];
    if (fd_of(atomic_load(&place->word)) == fd) return place;
  }
  return NULL;
}

static struct place *take_empty(int fd) {
  struct place *place;
  uint64_t empty;
  int step;

  for (step = 0; step < NEAR; step++) {
    place = &places[(fd + step) % PLACES];
    empty = 0;
    if (atomic_compare_exchange_strong(&place->word, &empty, BUSY)) return place;
  }
  return NULL;
}

/* The turnstile of SAFE_LOCK_FAIR is passed, not held, and shares its descriptor with the lock behind it. */
static bool is_gate(const struct safe__claim *claim) { return claim->offset == SAFE__GATE; }

static void note(int fd, int role, const struct safe__claim *claim, const struct safe__file_id *id) {
  struct safe__file_id asked;
  struct place *place;

  /* Asked here, where the same file has just been locked, and not when somebody wants to know, who has no time. */
  if (id == NULL && !safe__os_handle_id(fd, &asked)) return;
  if (id == NULL) id = &asked;
  place = find(fd);
  if (place == NULL) place = take_empty(fd);
  if (place == NULL) return;
  atomic_store(&place->word, BUSY);
  atomic_store(&place->device, id->volume);
  atomic_store(&place->inode, id->low);
  atomic_store(&place->word, pack(fd, role, claim));
}

void safe__own_lock_note(int fd, const struct safe__claim *claim, const struct safe__file_id *id) {
  adopt();
  if (!is_gate(claim)) note(fd, SAFE_HOLDER_HOLDS, claim, id);
}

void safe__own_lock_forget(int fd, const struct safe__claim *claim) {
  struct place *place = is_gate(claim) ? NULL : find(fd);

  if (place != NULL) atomic_store(&place->word, 0);
}

void safe__own_wait_note(int fd, const struct safe__claim *claim) {
  adopt();
  if (find(fd) == NULL) note(fd, SAFE_HOLDER_WAITS, claim, NULL);
}

void safe__own_wait_forget(int fd) {
  struct place *place = find(fd);

  if (place != NULL && role_of(atomic_load(&place->word)) == SAFE_HOLDER_WAITS) atomic_store(&place->word, 0);
}

bool safe__own_lock_known(int fd) { return atomic_load(&owner) == safe__os_self() && find(fd) != NULL; }

bool safe__own_lock_of(int fd, int32_t *mode, int32_t *method) {
  struct place *place = atomic_load(&owner) == safe__os_self() ? find(fd) : NULL;
  uint64_t word = place != NULL ? atomic_load(&place->word) : 0;

  if (word <= BUSY || fd_of(word) != fd || role_of(word) != SAFE_HOLDER_HOLDS) return false;
  *mode = (int32_t)(word >> 4 & 0xf);
  *method = (int32_t)(word & 0xf);
  return true;
}

int safe__own_locks(dev_t device, ino_t inode, safe_holder_list *list) {
  safe_holder holder = {0};
  uint64_t word;
  int at, held = 0;

  holder.pid = safe__os_self();
  holder.state = 'R';
  if (atomic_load(&owner) != holder.pid) return 0;
  strncpy(holder.name, getprogname(), sizeof(holder.name) - 1);
  for (at = 0; at < PLACES; at++) {
    word = atomic_load(&places[at].word);
    if (word <= BUSY || atomic_load(&places[at].device) != (uint64_t)device ||
        atomic_load(&places[at].inode) != (uint64_t)inode || atomic_load(&places[at].word) != word)
      continue;
    holder.handle = fd_of(word);
    holder.role = role_of(word);
    holder.via = holder.role == SAFE_HOLDER_HOLDS ? SAFE_VIA_LOCKED : SAFE_VIA_UNKNOWN;
    holder.mode = (int32_t)(word >> 4 & 0xf);
    holder.method = (int32_t)(word & 0xf);
    if (holder.role == SAFE_HOLDER_HOLDS) held++;
    safe__holder_add(list, &holder);
  }
  return held;
}
