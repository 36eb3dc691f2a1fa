/* SPDX-License-Identifier: MIT */
/*
 * What is kept of a stream in memory: its head, its tail, or both, in one block of at most the limit. The tail is a
 * ring behind the head, put in order in place at the end: no byte more is needed for it.
 */
#ifndef SAFEHOLD_KEPT_H
#define SAFEHOLD_KEPT_H

#include "internal.h"

struct safe__kept {
  char *block, *bytes; /* the bytes are in the block; at the end, they are all of it */
  size_t length, room, limit;
  size_t head;    /* of the limit, for the first bytes; the rest is the ring */
  size_t oldest;  /* in the ring, once it has gone round */
  uint64_t total; /* bytes that came */
};

/* False without memory; nothing is to be freed then. */
bool safe__kept_begin(struct safe__kept *kept, size_t limit, int32_t keep);

/* Where bytes may be put without a copy, and at most how many; safe__kept_filled then says how many came. NULL: they
   are for safe__kept_add, as there is no room, or too little of it at a time. */
int safe__kept_space(struct safe__kept *kept, char **space, size_t *length);
void safe__kept_filled(struct safe__kept *kept, size_t length);
/* SAFE_OK or SAFE_ENOMEM. */
int safe__kept_add(struct safe__kept *kept, const char *bytes, size_t length);

/* Puts the tail in order and a NUL behind it. Answers where bytes are missing, if any are. */
size_t safe__kept_end(struct safe__kept *kept);

#endif
