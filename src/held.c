/* SPDX-License-Identifier: MIT */
#include "held.h"

/* Chunks of 64, 128, 256 ... places, made as they are needed and never given up: whoever looks at one may look on. */
#define FIRST 64
#define CHUNKS 16

static struct safe_lock first[FIRST];
static _Atomic(struct safe_lock *) more[CHUNKS];

static size_t places_in(int chunk) { return (size_t)FIRST << chunk; }

/* Chunk 0 is the first one; NULL for one that has not been made. */
static struct safe_lock *chunk_at(int chunk) {
  return chunk == 0 ? first : atomic_load_explicit(&more[chunk], memory_order_acquire);
}

uint64_t safe__thread(void) {
  static _Atomic uint64_t last;
  static _Thread_local uint64_t mine;

  /* Not the thread's address or the system's number, which the next thread may get. */
  if (mine == 0) mine = atomic_fetch_add(&last, 1) + 1;
  return mine;
}

static bool take(struct safe_lock *held, uint64_t thread) {
  uint64_t none = 0;

  return atomic_load_explicit(&held->thread, memory_order_relaxed) == 0 &&
         atomic_compare_exchange_strong(&held->thread, &none, thread);
}

static struct safe_lock *take_from(int chunk, uint64_t thread) {
  struct safe_lock *places = chunk_at(chunk);
  size_t at, count = places_in(chunk);

  /* Threads begin at different places, so that they seldom meet on a cache line. */
  for (at = 0; places != NULL && at < count; at++)
    if (take(&places[(thread * 8 + at) % count], thread)) return &places[(thread * 8 + at) % count];
  return NULL;
}

static bool make_chunk(int chunk) {
  struct safe_lock *none = NULL, *places = safe__alloc(places_in(chunk) * sizeof(*places));

  if (places == NULL) return false;
  /* Somebody else may have been quicker, and then there is room. */
  if (!atomic_compare_exchange_strong(&more[chunk], &none, places)) safe__free(places);
  return true;
}

static struct safe_lock *take_any(uint64_t thread) {
  static _Atomic int hint; /* where the last free place was found: all smaller chunks may well be full */
  struct safe_lock *held;
  int chunk = atomic_load_explicit(&hint, memory_order_relaxed);

  held = take_from(chunk, thread);
  for (chunk = 0; held == NULL && chunk < CHUNKS; chunk++) {
    if (chunk_at(chunk) == NULL && !make_chunk(chunk)) return NULL;
    held = take_from(chunk, thread);
    if (held != NULL) atomic_store_explicit(&hint, chunk, memory_order_relaxed);
  }
  return held;
}

struct safe_lock *safe__held_claim(void) {
  static _Thread_local struct safe_lock *last; /* nearly always free again */
  uint64_t thread = safe__thread();
  struct safe_lock *lock = last;

  if (lock == NULL || !take(lock, thread)) {
    lock = take_any(thread);
    if (lock == NULL) return NULL;
    last = lock;
  }
  lock->path = NULL;
  lock->wait_kind = SAFE_WAIT_NONE;
  lock->recorded = false;
  safe__os_file_none(&lock->file);
  return lock;
}

/* In this order, and out again in the other: a fork in another thread may copy the memory in between. */
void safe__held_note(struct safe_lock *lock, int *fds, int count) {
  lock->fds = fds;
  atomic_thread_fence(memory_order_release);
  lock->fd_count = count;
}

void safe__held_release(struct safe_lock *lock) {
  if (lock == NULL) return;
  lock->fd_count = lock->claim_count = 0;
  atomic_thread_fence(memory_order_release);
  lock->fds = NULL;
  atomic_store_explicit(&lock->thread, 0, memory_order_release);
}

static bool overlap(const struct safe__claim *one, const struct safe__claim *other) {
  bool before = one->length != 0 && one->offset + one->length <= other->offset;
  bool behind = other->length != 0 && other->offset + other->length <= one->offset;

  return !before && !behind;
}

static bool clash(const struct safe_lock *held, const struct safe__claim *claim, bool any) {
  int at;

  for (at = 0; at < held->claim_count; at++) {
    const struct safe__claim *mine = &held->claims[at];
    if (mine->method != claim->method || !overlap(mine, claim)) continue;
    if (any || mine->mode == SAFE_LOCK_EXCLUSIVE || claim->mode == SAFE_LOCK_EXCLUSIVE) return true;
  }
  return false;
}

static bool same_file(const struct safe_lock *held, const struct safe__file *file, const struct safe__file_id *id) {
  struct safe__file_id other;

  /* One open file that a caller locks twice: the second lock takes the first one's place. */
  if (safe__os_file_handle(&held->file) == safe__os_file_handle(file)) return false;
  return safe__os_file_id(&held->file, &other) && other.volume == id->volume && other.low == id->low &&
         other.high == id->high;
}

bool safe__held_conflicts(const struct safe__file *file, const struct safe__claim *claim,
                          const struct safe_lock *except, bool any) {
  uint64_t thread = safe__thread();
  struct safe__file_id id;
  struct safe_lock *places;
  size_t at;
  int chunk;

  if (!safe__os_file_id(file, &id)) return false;
  for (chunk = 0; chunk < CHUNKS && (places = chunk_at(chunk)) != NULL; chunk++)
    for (at = 0; at < places_in(chunk); at++) /* What is this thread's, no other thread changes. */
      if (atomic_load_explicit(&places[at].thread, memory_order_relaxed) == thread && &places[at] != except &&
          clash(&places[at], claim, any) && same_file(&places[at], file, &id))
        return true;
  return false;
}

void safe__held_each(void (*visit)(struct safe_lock *held)) {
  struct safe_lock *places;
  size_t at;
  int chunk;

  for (chunk = 0; chunk < CHUNKS && (places = chunk_at(chunk)) != NULL; chunk++)
    for (at = 0; at < places_in(chunk); at++)
      if (atomic_load_explicit(&places[at].thread, memory_order_relaxed) != 0) visit(&places[at]);
}
