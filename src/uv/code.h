/* SPDX-License-Identifier: MIT */
/* Errors of the adapter's own, told as the library tells its own. */
#ifndef SAFEHOLD_UV_CODE_H
#define SAFEHOLD_UV_CODE_H

#include "safehold/uv.h"

#if defined(__GNUC__)
#define SAFE__UV_FORMAT __attribute__((format(printf, 5, 6)))
#else
#define SAFE__UV_FORMAT
#endif

/* Fills the error, which is never NULL here, and returns its UV_E*. */
int safe__uv_fail(safe_error *error, int code, int stage, int index, const char *format, ...) SAFE__UV_FORMAT;
/* The same for a UV_E* that libuv has answered, which is returned. what is the beginning of a sentence. */
int safe__uv_refused(safe_error *error, int uv_code, int stage, int index, const char *what);

/* Copies error to the caller's, which may be NULL or shorter, unless code is 0; returns code. */
int safe__uv_deliver(safe_error *caller, const safe_error *error, int code);
/* Whether the caller's error is one that can be filled. */
int safe__uv_check_error(const safe_error *caller);

/* Reads a struct of the caller's, which may be of another version, over the defaults. 0, or a UV_E* with the error
   filled. */
int safe__uv_read(void *into, size_t full, const void *from, const char *name, safe_error *error);

#endif
