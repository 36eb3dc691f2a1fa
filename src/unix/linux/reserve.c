/* SPDX-License-Identifier: MIT */
#include "reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "above_stdio.h"
#include "os.h"

#define PLACES 256
/* The kernel copies the table in words of 64 descriptors: below that nothing is gained. */
#define HIGH 64

/* A kept number is an open /dev/null. While a spawn uses it, it is something else, and that spawn's. */
static struct {
  atomic_int number; /* + 1, so that 0 is none */
  _Atomic(const void *) holder;
} places[PLACES];
static atomic_int used;   /* of the places, from the first on */
static atomic_int wanted; /* the same, by the last call */

static bool hold(int at, const void *holder) {
  const void *nobody = NULL;

  return atomic_compare_exchange_strong(&places[at].holder, &nobody, holder);
}

static void let_go(int at) { atomic_store(&places[at].holder, NULL); }

static void give_up(int at) {
  int number;

  if (atomic_load(&places[at].number) == 0 || !hold(at, places)) return; /* a spawn's just now: it gives it up then */
  number = atomic_exchange(&places[at].number, 0) - 1;
  if (number >= 0) close(number);
  let_go(at);
}

static bool lend(int at, int fd, const void *holder) {
  int number;

  if (atomic_load_explicit(&places[at].number, memory_order_relaxed) == 0 || !hold(at, holder)) return false;
  number = atomic_load(&places[at].number) - 1;
  if (number >= 0 && number < fd && dup3(fd, number, O_CLOEXEC) == number) return true;
  let_go(at);
  return false;
}

int safe__reserve_copy(int fd, const void *holder) {
  int at, count = atomic_load_explicit(&used, memory_order_relaxed);

  if (fd < HIGH) return fd;
  for (at = 0; at < count; at++)
    if (lend(at, fd, holder)) return atomic_load(&places[at].number) - 1;
  return fd;
}

static int open_null(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

static void free_place(int at) {
  let_go(at);
  if (at >= atomic_load(&wanted)) give_up(at);
}

/* From a place that nobody uses just now, which is a null device: to open one costs several times as much. */
static bool copy_null(int number) {
  int at, count = atomic_load_explicit(&used, memory_order_relaxed);
  bool copied = false;

  for (at = 0; at < count && !copied; at++) {
    if (atomic_load_explicit(&places[at].number, memory_order_relaxed) == 0 || !hold(at, places)) continue;
    copied = atomic_load(&places[at].number) != 0 && dup3(atomic_load(&places[at].number) - 1, number, O_CLOEXEC) >= 0;
    free_place(at);
  }
  return copied;
}

static bool open_null_at(int number) {
  int null = open_null();

  if (null < 0) return false;
  dup3(null, number, O_CLOEXEC);
  close(null);
  return true;
}

/* The null device is put back over it, so that the number never is free for somebody else in between. */
static void take_back(int at) {
  int number = atomic_load(&places[at].number) - 1;

  if (!copy_null(number) && !open_null_at(number)) {
    /* No descriptor is left: then the number is of more use to the host. */
    atomic_store(&places[at].number, 0);
    close(number);
  }
  free_place(at);
}

/* By its holder and not by the number: a child on our memory writes down where it has moved its copies. */
void safe__reserve_return(const void *holder) {
  int at, count = atomic_load_explicit(&used, memory_order_relaxed);

  for (at = 0; at < count; at++)
    if (atomic_load(&places[at].holder) == holder) take_back(at);
}

static int keep_one(int at) {
  int fd, saved = 0;

  if (!hold(at, places)) return SAFE_OK;
  if (atomic_load(&places[at].number) == 0) {
    fd = safe__above_stdio(open_null());
    saved = errno;
    if (fd >= 0) atomic_store(&places[at].number, fd + 1);
  }
  let_go(at);
  return atomic_load(&places[at].number) != 0 ? SAFE_OK : safe__os_translate(saved);
}

int safe__os_reserve_descriptors(int count) {
  int at, code = SAFE_OK, kept = 0;

  atomic_store(&wanted, count);
  if (atomic_load(&used) < count) atomic_store(&used, count);
  for (at = count; at < PLACES; at++) give_up(at);
  for (at = 0; at < count && code == SAFE_OK; at++) code = keep_one(at);
  for (at = 0; at < PLACES; at++) kept += atomic_load(&places[at].number) != 0;
  return kept < count && code != SAFE_OK ? code : kept;
}
