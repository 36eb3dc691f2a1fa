/* SPDX-License-Identifier: MIT */
/*
 * Which process this is, without a system call: glibc no longer keeps getpid's answer, and asking twice for each lock
 * would be a seventh of its cost. The answer lies in a page that the kernel clears in the child of any fork
 * (MADV_WIPEONFORK, Linux 4.14), also of one that goes past libc's atfork handlers, as _Fork does. The handler is there
 * for emulators, which may take the advice without following it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

static _Atomic int64_t *self; /* NULL: no such page, and the system is asked each time */

static void forked(void) { atomic_store_explicit(self, 0, memory_order_relaxed); }

/* Before main, or when the library is loaded: earlier than any fork that could matter. */
__attribute__((constructor)) static void watch_forks(void) {
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (page == MAP_FAILED) return;
  self = page;
  if (madvise(page, size, MADV_WIPEONFORK) == 0 && pthread_atfork(NULL, NULL, forked) == 0) return;
  self = NULL;
  munmap(page, size);
}

int64_t safe__os_self(void) {
  int64_t known = self == NULL ? 0 : atomic_load_explicit(self, memory_order_relaxed);

  if (known != 0) return known;
  known = getpid();
  if (self != NULL) atomic_store_explicit(self, known, memory_order_relaxed);
  return known;
}
