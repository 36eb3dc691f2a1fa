/* SPDX-License-Identifier: MIT */
#include "stream_file.h"

#include "main/php_network.h"

#ifdef PHP_WIN32
#include <io.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

#ifdef PHP_WIN32

static safe_handle copy(int descriptor) {
  HANDLE self = GetCurrentProcess(), file;

  if (!DuplicateHandle(self, (HANDLE)_get_osfhandle(descriptor), self, &file, 0, FALSE, DUPLICATE_SAME_ACCESS))
    return SAFE_INVALID_HANDLE;
  return file;
}

void safehold_close_file(safe_handle file) { CloseHandle(file); }

#else

/* Not 0, 1 or 2: a script may have closed those, and a child would get the file in their place. */
static safe_handle copy(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 3); }

void safehold_close_file(safe_handle file) { close(file); }

#endif

safe_handle safehold_copy_of_stream(zval *resource) {
  php_stream *stream = zend_fetch_resource2_ex(resource, NULL, php_file_le_stream(), php_file_le_pstream());
  php_socket_t descriptor;

  if (stream == NULL || !php_stream_is(stream, PHP_STREAM_IS_STDIO)) return SAFE_INVALID_HANDLE;
  /* For select: any other cast moves the file's position (_php_stream_cast in main/streams/cast.c). */
  if (php_stream_cast(stream, PHP_STREAM_AS_FD_FOR_SELECT | PHP_STREAM_CAST_INTERNAL, (void *)&descriptor, 0) !=
      SUCCESS)
    return SAFE_INVALID_HANDLE;
  return copy((int)descriptor);
}

const char *safehold_name_of_file(safe_handle file, char *space, size_t size) {
#ifdef __linux__
  if (file == SAFE_INVALID_HANDLE) return NULL;
  snprintf(space, size, "/proc/%ld/fd/%d", (long)getpid(), file);
  return space;
#else
  (void)file;
  (void)space;
  (void)size;
  return NULL;
#endif
}
