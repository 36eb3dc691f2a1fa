/* SPDX-License-Identifier: MIT */
#include "shared_stack.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os.h"

#define STACK_BYTES ((size_t)64 * 1024) /* one page is ever touched; 64 KiB is the largest page size */

/* For as many threads as may well spawn at a time: to map a stack and to unmap it again interrupts every processor that
   another thread runs on. */
#define SPARES 16

static _Atomic(struct safe__shared_stack *) spares[SPARES];

static size_t mapping_bytes(size_t page) { return page + STACK_BYTES; }

static struct safe__shared_stack *take_spare(void) {
  struct safe__shared_stack *stack = NULL;
  int at;

  for (at = 0; at < SPARES && stack == NULL; at++)
    if (atomic_load_explicit(&spares[at], memory_order_relaxed) != NULL) stack = atomic_exchange(&spares[at], NULL);
  return stack;
}

struct safe__shared_stack *safe__shared_stack_get(void) {
  struct safe__shared_stack *stack = take_spare();
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
  struct safe__shared_stack *nothing;
  int at;

  for (at = 0; at < SPARES && stack != NULL; at++) {
    nothing = NULL;
    if (atomic_compare_exchange_strong(&spares[at], &nothing, stack)) return;
  }
  unmap(stack);
}

void safe__shared_stack_release_spare(void) {
  struct safe__shared_stack *stack;

  while ((stack = take_spare()) != NULL) unmap(stack);
}
