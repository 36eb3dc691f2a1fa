/* SPDX-License-Identifier: MIT */
#include "shared_stack.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os.h"

#define STACK_BYTES ((size_t)64 * 1024) /* one page is ever touched; 64 KiB is the largest page size */

static _Atomic(struct safe__shared_stack *) spare;

static size_t mapping_bytes(size_t page) { return page + STACK_BYTES; }

struct safe__shared_stack *safe__shared_stack_get(void) {
  struct safe__shared_stack *stack = atomic_exchange(&spare, NULL);
  size_t page;
  char *base;

  if (stack != NULL) return stack;
  page = (size_t)sysconf(_SC_PAGESIZE);
  base = mmap(NULL, mapping_bytes(page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (base == MAP_FAILED) return NULL;
  mprotect(base, page, PROT_NONE);
  /* The record lives at the upper end, above the stack's first frame. */
  stack = (struct safe__shared_stack *)(base + mapping_bytes(page) - 64);
  stack->top = stack;
  return stack;
}

static void unmap(struct safe__shared_stack *stack) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);

  if (stack != NULL) munmap((char *)stack + 64 - mapping_bytes(page), mapping_bytes(page));
}

void safe__shared_stack_put(struct safe__shared_stack *stack) {
  if (stack != NULL) unmap(atomic_exchange(&spare, stack));
}

void safe__shared_stack_release_spare(void) { unmap(atomic_exchange(&spare, NULL)); }
