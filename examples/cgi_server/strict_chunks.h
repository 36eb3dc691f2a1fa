/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_STRICT_CHUNKS_H
#define CGI_SERVER_STRICT_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Looks at a chunked body, besides the parser, for what http-parser passes over where it is compiled to be lenient, as
 * Debian's is: something after the size of a chunk, or in the place of a line end. A proxy in front might read such a
 * body otherwise, and take a part of it for another request.
 */
struct chunks {
  enum {
    CHUNK_HEAD_END,
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_CR,
    CHUNK_LF,
    CHUNK_TRAILER, /* the beginning of a line after the last chunk */
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_LAST_LF,
    CHUNK_OVER
  } at;
  unsigned digits;
  uint64_t left;
};

/* The head is complete but for its last line feed, which is fed first. */
void strict_chunks_begin(struct chunks *chunks);
/* False: it is not as RFC 9112 section 7.1 has it. What follows the body is not looked at. */
bool strict_chunks_feed(struct chunks *chunks, const char *bytes, size_t length);

#endif
