/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void *(*safe__realloc)(void *memory, size_t size) = realloc;

void *safe__alloc(size_t size) {
  void *memory = safe__realloc(NULL, size);

  if (memory != NULL) memset(memory, 0, size);
  return memory;
}

void safe__free(void *memory) { free(memory); }
