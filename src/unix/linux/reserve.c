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

/* A kept number is an open /dev/null. While a spawn uses it, it is something else, and taken. */
static struct {
  atomic_int number; /* + 1, so that 0 is none */
  atomic_bool taken;
} places[PLACES];
static atomic_int used; /* of the places, from the first on */

static bool take(int at) {
  bool no = false;

  return atomic_load_explicit(&places[at].number, memory_order_relaxed) != 0 &&
         atomic_compare_exchange_strong(&places[at].taken, &no, true);
}

int safe__reserve_copy(int fd) {
  int at, number, count = atomic_load_explicit(&used, memory_order_relaxed);

  if (fd < HIGH) return fd;
  for (at = 0; at < count; at++) {
    if (!take(at)) continue;
    number = atomic_load(&places[at].number) - 1;
    if (number >= 0 && number < fd && dup3(fd, number, O_CLOEXEC) == number) return number;
    atomic_store(&places[at].taken, false);
  }
  return fd;
}

static int open_null(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

/* The null device is put back over it, so that the number never is free for somebody else in between. */
void safe__reserve_return(int fd) {
  int at, null, count = atomic_load_explicit(&used, memory_order_relaxed);

  for (at = 0; at < count; at++) {
    if (atomic_load(&places[at].number) != fd + 1 || !atomic_load(&places[at].taken)) continue;
    null = open_null();
    if (null >= 0) {
      dup3(null, fd, O_CLOEXEC);
      close(null);
    } else { /* no descriptor is left: then the number is of more use to the host */
      atomic_store(&places[at].number, 0);
      close(fd);
    }
    atomic_store(&places[at].taken, false);
    return;
  }
}

static void give_up(int at) {
  int number;

  if (!take(at)) return; /* empty, or a spawn's just now: that one keeps it */
  number = atomic_exchange(&places[at].number, 0) - 1;
  close(number);
  atomic_store(&places[at].taken, false);
}

static int keep_one(int at) {
  bool no = false;
  int fd;

  if (!atomic_compare_exchange_strong(&places[at].taken, &no, true)) return SAFE_OK;
  if (atomic_load(&places[at].number) == 0) {
    fd = safe__above_stdio(open_null());
    if (fd >= 0) atomic_store(&places[at].number, fd + 1);
  }
  atomic_store(&places[at].taken, false);
  return atomic_load(&places[at].number) != 0 ? SAFE_OK : safe__os_translate(errno);
}

int safe__os_reserve_descriptors(int count) {
  int at, code = SAFE_OK, kept = 0;

  if (atomic_load(&used) < count) atomic_store(&used, count);
  for (at = count; at < PLACES; at++) give_up(at);
  for (at = 0; at < count && code == SAFE_OK; at++) code = keep_one(at);
  for (at = 0; at < PLACES; at++) kept += atomic_load(&places[at].number) != 0;
  return kept < count && code != SAFE_OK ? code : kept;
}
