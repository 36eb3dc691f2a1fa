/* SPDX-License-Identifier: MIT */
#include "session_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "ext/session/php_session.h"
#include "lock_wait.h"
#include "zend_virtual_cwd.h"

#ifdef PHP_WIN32
#include <process.h>
#define METHOD SAFE_METHOD_COMPAT
#else
#include <unistd.h>
#define METHOD SAFE_METHOD_FLOCK
#endif

bool safehold_session_path(const struct safehold_session *session, const zend_string *id, char *path) {
  size_t at, length = ZSTR_LEN(session->folder);

  if (ZSTR_LEN(id) <= session->depth ||
      MAXPATHLEN < length + 2 * session->depth + ZSTR_LEN(id) + sizeof("/" SAFEHOLD_SESSION_PREFIX))
    return false;
  memcpy(path, ZSTR_VAL(session->folder), length);
  path[length++] = PHP_DIR_SEPARATOR;
  for (at = 0; at < session->depth; at++) {
    path[length++] = ZSTR_VAL(id)[at];
    path[length++] = PHP_DIR_SEPARATOR;
  }
  snprintf(path + length, MAXPATHLEN - length, SAFEHOLD_SESSION_PREFIX "%s", ZSTR_VAL(id));
  return true;
}

bool safehold_session_is_parents(const struct safehold_session *session) {
  return session->lock != NULL && session->process != (long)getpid();
}

void safehold_session_close(struct safehold_session *session) {
  if (session->lock != NULL) safe_unlock(session->lock);
  session->lock = NULL;
}

void safehold_session_free(struct safehold_session *session) {
  if (session->waiting) {
    session->abandoned = true;
    return;
  }
  safehold_session_close(session);
  if (session->id != NULL) zend_string_release(session->id);
  zend_string_release(session->folder);
  efree(session);
}

#ifdef PHP_WIN32

int64_t safehold_session_status(safe_lock *lock, size_t *size) {
  BY_HANDLE_FILE_INFORMATION information;
  uint64_t ticks;

  if (!GetFileInformationByHandle(safe_lock_get_handle(lock), &information)) return -1;
  if (size != NULL) *size = ((size_t)information.nFileSizeHigh << 16 << 16) + information.nFileSizeLow;
  ticks = ((uint64_t)information.ftLastWriteTime.dwHighDateTime << 32) + information.ftLastWriteTime.dwLowDateTime;
  return (int64_t)(ticks / 10000000) - INT64_C(11644473600); /* 100 ns since 1601 */
}

static bool is_ours(const zend_stat_t *status) {
  (void)status;
  return true;
}

static bool check_open_file(struct safehold_session *session, const char *path) {
  (void)path;
  return safehold_session_status(session->lock, &session->size) >= 0;
}

#else

int64_t safehold_session_status(safe_lock *lock, size_t *size) {
  zend_stat_t status;

  if (zend_fstat(safe_lock_get_handle(lock), &status) != 0) return -1;
  if (size != NULL) *size = (size_t)status.st_size;
  return (int64_t)status.st_mtime;
}

/* As PHP: made by this user or by root, unless root itself serves. Else it may be another application's. */
static bool is_ours(const zend_stat_t *status) {
  return status->st_uid == 0 || status->st_uid == getuid() || status->st_uid == geteuid() || getuid() == 0;
}

static bool check_open_file(struct safehold_session *session, const char *path) {
  safe_handle file = safe_lock_get_handle(session->lock);
  zend_stat_t status;

  if (zend_fstat(file, &status) != 0 || !is_ours(&status)) {
    php_error_docref(NULL, E_WARNING, "Session data file is not created by your uid");
    return false;
  }
  session->size = (size_t)status.st_size;
  /* A file that can only be read can be locked, but PHP asks for both. */
  if ((fcntl(file, F_GETFL) & O_ACCMODE) == O_RDWR) return true;
  php_error_docref(NULL, E_WARNING, "open(%s, O_RDWR) failed: %s (%d)", path, strerror(EACCES), EACCES);
  return false;
}

#endif

#ifdef VIRTUAL_DIR
/* Of this thread's own working directory. */
#define ABSOLUTE(path, buffer) expand_filepath(path, buffer)
#else
#define ABSOLUTE(path, buffer) (path)
#endif

static double timeout(void) {
  return SAFEHOLD_G(session_lock_timeout) >= 0 ? SAFEHOLD_G(session_lock_timeout) : SAFEHOLD_G(lock_timeout);
}

static void warn(int code, const safe_error *error, const char *path) {
  if (code == SAFE_EINTR) return; /* a handler has thrown */
  if (error->stage == SAFE_STAGE_OPEN && error->os_code != 0)
    php_error_docref(NULL, E_WARNING, "open(%s, O_RDWR) failed: %s (%d)", path, strerror((int)error->os_code),
                     (int)error->os_code);
  else
    php_error_docref(NULL, E_WARNING, "%s", error->message);
}

static bool wait_for_lock(struct safehold_session *session, struct safehold_lock_ask *ask) {
  safe_error error = SAFE_ERROR_INIT;
  struct safehold_wait wait;
  bool abandoned;
  int code;

  session->waiting = true;
  safehold_wait_begin(&wait, timeout());
  code = safehold_lock_wait(ask, &wait, &session->lock, &error);
  session->process = (long)getpid();
  session->waiting = false;
  abandoned = session->abandoned;
  if (abandoned) safehold_session_free(session);
  if (code != SAFE_OK) warn(code, &error, ask->path);
  safehold_wait_end(&wait);
  return code == SAFE_OK && !abandoned;
}

/*
 * The library opens the file: close-on-exec from the first moment, where PHP's own handler waits for the lock with a
 * descriptor that every child gets; a forked child closes it at once; and once the lock is got the file is compared
 * with the one at the path. Who waited for a session that was destroyed or collected meanwhile gets the new file, where
 * PHP's own handler writes into the removed one, and the session is lost.
 */
static bool lock_file(struct safehold_session *session, const char *path) {
  struct safehold_lock_ask ask = {path, SAFE_INVALID_HANDLE, SAFE_LOCK_OPTIONS_INIT, false};
  safe_error error = SAFE_ERROR_INIT;
  zend_stat_t status;
  int code;

  ask.options.method = METHOD;
  ask.options.create_mode = (uint32_t)session->mode;
  ask.options.timeout_ms = SAFE_NO_WAIT;
  ask.options.holder_query_ms = 0;
  code = safe_lock_file(&session->lock, path, &ask.options, &error);
  session->process = (long)getpid();
  if (code == SAFE_OK) return true;
  if (code != SAFE_EBUSY) {
    warn(code, &error, path);
    return false;
  }
  if (VCWD_STAT(path, &status) == 0 && !is_ours(&status)) { /* it is not even waited for */
    php_error_docref(NULL, E_WARNING, "Session data file is not created by your uid");
    return false;
  }
  ask.options.holder_query_ms = 50;
  return wait_for_lock(session, &ask);
}

static void change_id(struct safehold_session *session, zend_string *id) {
  safehold_session_close(session);
  if (session->id != NULL) zend_string_release(session->id);
  session->id = NULL;
  if (id != NULL) session->id = zend_string_copy(id);
}

bool safehold_session_open(struct safehold_session *session, zend_string *id) {
  char path[MAXPATHLEN];

  if (session->waiting) return false;
  if (session->lock != NULL && session->id != NULL && zend_string_equals(id, session->id)) return true;
  change_id(session, NULL);
  if (php_session_valid_key(ZSTR_VAL(id)) == FAILURE) {
    php_error_docref(NULL, E_WARNING,
                     "Session ID is too long or contains illegal characters. Only the A-Z, a-z, 0-9, \"-\", and \",\" "
                     "characters are allowed");
    return false;
  }
  if (!safehold_session_path(session, id, path)) {
    php_error_docref(NULL, E_WARNING,
                     "Failed to create session data file path. Too short session ID, invalid save_path or path length "
                     "exceeds %d characters",
                     MAXPATHLEN);
    return false;
  }
  change_id(session, id);
  if (!lock_file(session, ABSOLUTE(path, (char[MAXPATHLEN]){0}))) return false;
  if (check_open_file(session, path)) return true;
  safehold_session_close(session);
  return false;
}

safe_lock *safehold_session_try(const char *path) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  options.method = METHOD;
  options.flags = 0;
  options.timeout_ms = SAFE_NO_WAIT;
  return safe_lock_file(&lock, ABSOLUTE(path, (char[MAXPATHLEN]){0}), &options, NULL) == SAFE_OK ? lock : NULL;
}
