/* SPDX-License-Identifier: MIT */
#include "kept.h"

#include <string.h>

#include "process.h"

#define FIRST ((size_t)4096)
#define SECOND ((size_t)256 * 1024)

/* Up to this limit the third block is the last: while a block grows, the old one may be there beside the new one, and
   what has not been written to costs no memory. */
#define WHOLE ((size_t)64 << 20)

/* A ring that is smaller is filled by way of another block, not in as many reads as it has bytes. */
#define DIRECT ((size_t)64 * 1024)

/* The bytes begin at an aligned address, until the end. */
static bool resize(struct safe__kept *kept, size_t room) {
  size_t before = kept->block == NULL ? 0 : (size_t)(kept->bytes - kept->block), shift;
  char *block = safe__realloc(kept->block, room + SAFE__ALIGNMENT); /* and a NUL */

  if (block == NULL) return false;
  shift = -(uintptr_t)block & (SAFE__ALIGNMENT - 1);
  if (shift != before) memmove(block + shift, block + before, kept->length);
  kept->block = block;
  kept->bytes = block + shift;
  kept->room = room;
  return true;
}

static bool grow(struct safe__kept *kept) {
  size_t room = kept->room < FIRST ? FIRST : kept->room < SECOND ? SECOND : kept->room * 2;
  size_t least = room < kept->limit ? room : kept->limit;

  if (kept->room >= SECOND && kept->limit <= WHOLE && resize(kept, kept->limit)) return true;
  return resize(kept, least);
}

bool safe__kept_begin(struct safe__kept *kept, size_t limit, int32_t keep) {
  memset(kept, 0, sizeof(*kept));
  kept->limit = limit < SIZE_MAX - SAFE__ALIGNMENT ? limit : SIZE_MAX - SAFE__ALIGNMENT; /* of the address space */
  kept->head = keep == SAFE_KEEP_HEAD ? kept->limit : keep == SAFE_KEEP_TAIL ? 0 : kept->limit - kept->limit / 2;
  return grow(kept);
}

int safe__kept_space(struct safe__kept *kept, char **space, size_t *length) {
  size_t ring = kept->limit - kept->head;

  *space = NULL;
  if (kept->length < kept->limit) {
    if (kept->length == kept->room && !grow(kept)) return SAFE_ENOMEM;
    *space = kept->bytes + kept->length;
    *length = kept->room - kept->length;
  } else if (ring >= DIRECT) {
    *space = kept->bytes + kept->head + kept->oldest;
    *length = ring - kept->oldest;
  }
  return SAFE_OK;
}

void safe__kept_filled(struct safe__kept *kept, size_t length) {
  kept->total += length;
  if (kept->length < kept->limit) {
    kept->length += length;
  } else {
    kept->oldest += length;
    if (kept->oldest == kept->limit - kept->head) kept->oldest = 0;
  }
}

static void into_ring(struct safe__kept *kept, const char *bytes, size_t length) {
  size_t ring = kept->limit - kept->head, part;

  if (length > ring) { /* the others would be overwritten at once */
    bytes += length - ring;
    length = ring;
  }
  while (length > 0) {
    part = ring - kept->oldest < length ? ring - kept->oldest : length;
    memcpy(kept->bytes + kept->head + kept->oldest, bytes, part);
    kept->oldest = (kept->oldest + part) % ring;
    bytes += part;
    length -= part;
  }
}

int safe__kept_add(struct safe__kept *kept, const char *bytes, size_t length) {
  size_t part;

  kept->total += length;
  while (length > 0 && kept->length < kept->limit) {
    if (kept->length == kept->room && !grow(kept)) return SAFE_ENOMEM;
    part = kept->room - kept->length < length ? kept->room - kept->length : length;
    memcpy(kept->bytes + kept->length, bytes, part);
    kept->length += part;
    bytes += part;
    length -= part;
  }
  into_ring(kept, bytes, length);
  return SAFE_OK;
}

static void swap(char *one, char *other, size_t length) {
  char piece[1024];
  size_t part;

  for (; length > 0; length -= part, one += part, other += part) {
    part = length < sizeof(piece) ? length : sizeof(piece);
    memcpy(piece, one, part);
    memcpy(one, other, part);
    memcpy(other, piece, part);
  }
}

/* The left bytes change places with the right ones behind them, by swapping blocks of equal length (Gries and Mills):
   each swap brings one block to where it stays. */
static void rotate(char *bytes, size_t left, size_t right) {
  while (left > 0 && right > 0) {
    if (left <= right) {
      swap(bytes, bytes + right, left);
      right -= left;
    } else {
      swap(bytes, bytes + left, right);
      bytes += right;
      left -= right;
    }
  }
}

size_t safe__kept_end(struct safe__kept *kept) {
  char *block;

  rotate(kept->bytes + kept->head, kept->oldest, kept->limit - kept->head - kept->oldest);
  kept->oldest = 0;
  memmove(kept->block, kept->bytes, kept->length);
  block = safe__realloc(kept->block, kept->length + 1);
  kept->bytes = block != NULL ? block : kept->block; /* if that fails, it stays the larger one */
  kept->bytes[kept->length] = '\0';
  return kept->total > kept->length ? kept->head : kept->length;
}
