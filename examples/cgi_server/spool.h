/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_SPOOL_H
#define CGI_SERVER_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

enum { SPOOL_MEMORY = 128 * 1024 }; /* what is more goes to a file */

/* Bytes that wait, first in, first out: in memory, then in a temporary file without a name. All zero and file -1 is an
   empty one. */
struct spool {
  struct buffer memory;
  int file;
  uint64_t begin, end; /* of what is there, in memory or in the file */
};

uint64_t spool_length(const struct spool *spool);
/* False: there is no memory, or no room for the file. */
bool spool_add(struct spool *spool, const char *bytes, size_t length);
/* How many it were; 0 also when the file cannot be read. */
size_t spool_take(struct spool *spool, char *bytes, size_t room);
void spool_free(struct spool *spool);

#endif
