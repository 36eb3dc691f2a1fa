/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static void *reallocate_plain(void *context, void *memory, size_t bytes) {
  (void)context;
  return realloc(memory, bytes);
}

static void release_plain(void *context, void *memory) {
  (void)context;
  free(memory);
}

static safe_allocator allocator = {sizeof(allocator), reallocate_plain, release_plain, NULL};
static atomic_bool used;

static void *reallocate(void *memory, size_t size) {
  if (!atomic_load_explicit(&used, memory_order_relaxed)) atomic_store(&used, true);
  return allocator.reallocate(allocator.context, memory, size);
}

void *(*safe__realloc)(void *memory, size_t size) = reallocate;

void *safe__alloc(size_t size) {
  void *memory = safe__realloc(NULL, size);

  if (memory != NULL) memset(memory, 0, size);
  return memory;
}

void safe__free(void *memory) {
  if (memory != NULL) allocator.release(allocator.context, memory);
}

char *safe__copy_text(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = safe__alloc(size);

  return copy == NULL ? NULL : memcpy(copy, text, size);
}

int safe_use_allocator(const safe_allocator *from) {
  safe_allocator copy = SAFE_ALLOCATOR_INIT;
  int code = safe__read_allocator(&copy, from);

  if (code != SAFE_OK) return code;
  if (atomic_load(&used)) return SAFE_EBUSY;
  allocator = copy;
  return SAFE_OK;
}
