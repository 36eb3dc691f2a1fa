/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_HOOKS_H
#define SAFEHOLD_HOOKS_H

#include <stddef.h>
#include <stdint.h>

#include "safehold/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Where the library gets its memory. Without an allocator it is realloc and free of the C library, as it is in any case
 * for the few objects of the libuv adapter.
 *
 * Both functions are called from any thread that calls the library, several at a time, and never from a signal handler
 * or between fork and exec. They must return (no longjmp, no exception), must not call the library, and must align as
 * malloc does. An allocator that ends the request when memory runs out, as an interpreter's own may, is not fit.
 */
typedef struct safe_allocator {
  uint32_t size;
  /* As realloc: memory may be NULL, bytes is never 0. NULL: there is none, and the call that wanted it fails with
     SAFE_ENOMEM. */
  void *(*reallocate)(void *context, void *memory, size_t bytes);
  /* As free; memory is never NULL. */
  void (*release)(void *context, void *memory);
  void *context; /* passed on; must live as long as the library is used */
} safe_allocator;
#define SAFE_ALLOCATOR_INIT \
  { (uint32_t)sizeof(safe_allocator), NULL, NULL, NULL }

/*
 * Sets the allocator. Before anything else of the library is called, and while no other thread calls it. The struct is
 * copied. SAFE_EINVAL: one of the functions is missing. SAFE_EBUSY: memory has been asked for already. There is no way
 * back: what the one has given the other could not release.
 */
SAFE_API int safe_use_allocator(const safe_allocator *allocator);

/* What a line is about. Numbers are never reused; there may be more of them in a later version. */
enum safe_trace_kind {
  SAFE_TRACE_WAIT = 1,    /* a lock is not free, and is waited for */
  SAFE_TRACE_GRANT = 2,   /* a lock was got, or changed its mode */
  SAFE_TRACE_FAILURE = 3, /* a lock was not got, a child not started, or not ended; the line is the error's message */
  SAFE_TRACE_SPAWN = 4,   /* a child was started */
  SAFE_TRACE_STOP = 5     /* a stop has ended it */
};

/*
 * Who is told what the library does: a line for each wait, grant, spawn, stop and failure.
 *
 * trace is called in the thread that does it, inside of the call of the library, which takes as much longer: it should
 * be quick. line is one line without its end, printable, at most 1023 bytes, and only there during the call. It must
 * return, and may call the library for other objects than the one at hand; what that does is traced too. Several
 * threads may call it at a time; a forked child goes on to call it. Lines are for people, and may change.
 */
typedef struct safe_tracer {
  uint32_t size;
  void (*trace)(void *context, int32_t kind, const char *line);
  void *context;
} safe_tracer;
#define SAFE_TRACER_INIT \
  { (uint32_t)sizeof(safe_tracer), NULL, NULL }

/*
 * Sets the tracer, or with NULL none. At any time, from any thread. The struct is not copied: it must stay as it is
 * until another one is set, and until calls of the library that had begun before have returned. SAFE_EINVAL: no
 * function.
 */
SAFE_API int safe_use_tracer(const safe_tracer *tracer);

#ifdef __cplusplus
}
#endif

#endif
