/* SPDX-License-Identifier: MIT */
#include "code.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* libuv has no name for every code: UV_EFTYPE stands for a program that the system cannot run, as for what is no
   regular file, and UV_EAGAIN for what another try may get. */
static const int uv_codes[] = {
  0,
  UV_EINVAL,       /* SAFE_EINVAL */
  UV_EINVAL,       /* SAFE_ENEWER */
  UV_ENOMEM,       /* SAFE_ENOMEM */
  UV_ETIMEDOUT,    /* SAFE_ETIMEDOUT */
  UV_EBUSY,        /* SAFE_EBUSY */
  UV_ECANCELED,    /* SAFE_ECANCELED */
  UV_ETIMEDOUT,    /* SAFE_ESTUCK */
  UV_EPERM,        /* SAFE_EOWNER */
  UV_EIO,          /* SAFE_ELOST */
  UV_EBUSY,        /* SAFE_EDEADLK */
  UV_EINTR,        /* SAFE_EINTR */
  UV_ENOENT,       /* SAFE_ENOENT */
  UV_EACCES,       /* SAFE_EACCES */
  UV_EISDIR,       /* SAFE_EISDIR */
  UV_EFTYPE,       /* SAFE_ENOTREG */
  UV_ELOOP,        /* SAFE_ESYMLINK */
  UV_EAGAIN,       /* SAFE_EREPLACED */
  UV_EAGAIN,       /* SAFE_ENOLCK */
  UV_ENOTSUP,      /* SAFE_ENOTSUP */
  UV_EBADF,        /* SAFE_EBADF */
  UV_EFTYPE,       /* SAFE_ENOEXEC */
  UV_EMFILE,       /* SAFE_EMFILE */
  UV_EAGAIN,       /* SAFE_EAGAIN */
  UV_EPIPE,        /* SAFE_EPIPE */
  UV_E2BIG,        /* SAFE_E2BIG */
  UV_ENAMETOOLONG, /* SAFE_ENAMETOOLONG */
  UV_ENOTDIR,      /* SAFE_ENOTDIR */
  UV_EINVAL,       /* SAFE_EBATCH */
  UV_ENOSPC,       /* SAFE_ENOSPC */
  UV_UNKNOWN,      /* SAFE_ESYSTEM: os_code says more */
  UV_ESRCH,        /* SAFE_ESRCH */
};

int safe_uv_code(const safe_error *error) {
  size_t at;
  int code;

  if (error == NULL) return UV_EINVAL;
  if (error->code == SAFE_ESYSTEM && error->os_code > 0 && error->os_code <= INT32_MAX) {
    code = uv_translate_sys_error((int)error->os_code);
    if (code < 0) return code;
  }
  at = error->code <= 0 ? (size_t) - (int64_t)error->code : SIZE_MAX;
  return at < sizeof(uv_codes) / sizeof(uv_codes[0]) ? uv_codes[at] : UV_UNKNOWN;
}

int safe__uv_fail(safe_error *error, int code, int stage, int index, const char *format, ...) {
  static const safe_error clear = SAFE_ERROR_INIT;
  va_list arguments;

  *error = clear;
  error->code = code;
  error->stage = stage;
  error->index = index;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof(error->message), format, arguments);
  va_end(arguments);
  return safe_uv_code(error);
}

int safe__uv_refused(safe_error *error, int uv_code, int stage, int index, const char *what) {
  int code = uv_code == UV_ENOMEM ? SAFE_ENOMEM : uv_code == UV_EMFILE ? SAFE_EMFILE : SAFE_ESYSTEM;

  safe__uv_fail(error, code, stage, index, "%s: %s (libuv's %s).", what, uv_strerror(uv_code), uv_err_name(uv_code));
#if !defined(_WIN32)
  error->os_code = -uv_code; /* on Unix the numbers are errno's */
#endif
  return uv_code;
}

int safe__uv_check_error(const safe_error *caller) {
  return caller == NULL || caller->size >= sizeof(caller->size) ? 0 : UV_EINVAL;
}

int safe__uv_deliver(safe_error *caller, const safe_error *error, int code) {
  uint32_t size;

  if (code == 0 || caller == NULL || safe__uv_check_error(caller) != 0) return code;
  size = caller->size;
  memcpy(caller, error, size < sizeof(*error) ? size : sizeof(*error));
  caller->size = size;
  return code;
}

int safe__uv_read(void *into, size_t full, const void *from, const char *name, safe_error *error) {
  const unsigned char *bytes = from;
  uint32_t size, at;

  memcpy(&size, from, sizeof(size));
  if (size < sizeof(size) || size > 65536)
    return safe__uv_fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                         "The size field of %s is %u: the struct was not initialised with its _INIT macro.", name,
                         (unsigned)size);
  for (at = (uint32_t)full; at < size; at++)
    if (bytes[at] != 0)
      return safe__uv_fail(error, SAFE_ENEWER, SAFE_STAGE_ARGUMENTS, -1,
                           "%s has a field beyond byte %u that this version of the library does not know.", name,
                           (unsigned)full);
  memcpy(into, from, size < full ? size : full);
  size = (uint32_t)full;
  memcpy(into, &size, sizeof(size));
  return 0;
}
