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

char *safe__copy_text(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = safe__alloc(size);

  return copy == NULL ? NULL : memcpy(copy, text, size);
}
