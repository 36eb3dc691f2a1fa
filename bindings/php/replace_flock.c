/* SPDX-License-Identifier: MIT */
/*
 * flock(), SplFileObject::flock(), file_put_contents(LOCK_EX) and dba all lock through one option of PHP's plain files.
 * Its table of operations is exported and writable, as phpdbg changes it too (main/streams/plain_wrapper.c); other
 * kinds of streams have tables of their own. A lock that is free costs the system call that it costs without us.
 */
#include "lock_wait.h"

#include <errno.h>

#include "ext/standard/flock_compat.h"
#include "main/php_network.h"
#include "main/streams/php_stream_plain_wrapper.h"
#include "replace.h"

#ifdef PHP_WIN32
#include <io.h>
#define METHOD SAFE_METHOD_COMPAT
#else
#include <sys/file.h>
#define METHOD SAFE_METHOD_FLOCK
#endif

static int (*original)(php_stream *stream, int option, int value, void *parameter);

static safe_handle handle_of(php_stream *stream) {
  php_socket_t descriptor;

  /* For select: any other cast moves the file's position. */
  if (stream->ops->cast(stream, PHP_STREAM_AS_FD_FOR_SELECT, (void **)&descriptor) != SUCCESS)
    return SAFE_INVALID_HANDLE;
#ifdef PHP_WIN32
  return (safe_handle)_get_osfhandle((int)descriptor);
#else
  return descriptor;
#endif
}

/* A handler of errors or signals may close it. */
static bool is_closed(const php_stream *stream, const zend_resource *resource) {
  return resource != NULL && resource->ptr != stream;
}

static int wait_for_lock(php_stream *stream, int value, struct safehold_wait *wait, safe_error *error) {
  struct safehold_lock_ask ask = {NULL, handle_of(stream), SAFE_LOCK_OPTIONS_INIT, true};
  safe_lock *lock;
  int code;

  ask.options.method = METHOD;
  ask.options.mode = (value & LOCK_SH) != 0 ? SAFE_LOCK_SHARED : SAFE_LOCK_EXCLUSIVE;
  code = safehold_lock_wait(&ask, wait, &lock, error);
  if (code == SAFE_OK) safe_lock_detach(lock);
  return code;
}

static void warn(const char *path, const safe_error *error) {
  if (path != NULL)
    php_error_docref(NULL, E_WARNING, "%s: %s", path, error->message);
  else
    php_error_docref(NULL, E_WARNING, "%s", error->message);
}

/* PHP's flock() sets $would_block for EWOULDBLOCK. */
static int errno_of(int code, const safe_error *error) {
  if (code == SAFE_EINTR) return EINTR;
  return code == SAFE_ETIMEDOUT || code == SAFE_EBUSY || code == SAFE_EDEADLK ? EWOULDBLOCK : (int)error->os_code;
}

/* PHP's plain files note what lock they have (lock_flag), but never read it: there is nothing to set right. */
static int lock_in_time(php_stream *stream, int value) {
  safe_error error = SAFE_ERROR_INIT;
  zend_resource *resource = stream->res;
  char *path = stream->orig_path != NULL ? estrdup(stream->orig_path) : NULL;
  struct safehold_wait wait;
  bool closed;
  int code;

  if (resource != NULL) GC_ADDREF(resource);
  safehold_wait_begin(&wait, SAFEHOLD_G(lock_timeout));
  code = wait_for_lock(stream, value, &wait, &error);
  closed = is_closed(stream, resource);
  if (code != SAFE_OK && code != SAFE_EINTR && !closed) warn(path, &error);
  if (path != NULL) efree(path);
  if (resource != NULL) zend_list_delete(resource);
  safehold_wait_end(&wait);
  if (code == SAFE_OK && !closed) return 0;
  errno = errno_of(code, &error);
  return -1;
}

static int set_option(php_stream *stream, int option, int value, void *parameter) {
  int result;

  if (option != PHP_STREAM_OPTION_LOCKING || (uintptr_t)parameter == PHP_STREAM_LOCK_SUPPORTED ||
      (value & (LOCK_SH | LOCK_EX)) == 0 || (value & LOCK_NB) != 0)
    return original(stream, option, value, parameter);
  result = original(stream, option, value | LOCK_NB, parameter);
  if (result == 0 || errno != EWOULDBLOCK) return result;
  return lock_in_time(stream, value);
}

static zend_result apply_flock(void) {
  original = php_stream_stdio_ops.set_option;
  php_stream_stdio_ops.set_option = set_option;
  return SUCCESS;
}

static void undo_flock(void) {
  if (php_stream_stdio_ops.set_option == set_option) php_stream_stdio_ops.set_option = original;
}

const struct safehold_replacement safehold_replacement_flock = {"flock", apply_flock, undo_flock};
