/* SPDX-License-Identifier: MIT */
#include "session_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "ext/session/php_session.h"
#include "ext/standard/flock_compat.h"
#include "lock_wait.h"
#include "zend_virtual_cwd.h"

#ifdef PHP_WIN32
#include <io.h>
#define METHOD SAFE_METHOD_COMPAT
#define HANDLE_OF(file) ((safe_handle)_get_osfhandle(file))
#define OPEN_FLAGS (O_BINARY | O_NOINHERIT)
#define OPEN VCWD_OPEN_MODE
#else
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>
#define METHOD SAFE_METHOD_FLOCK
#define HANDLE_OF(file) (file)
#define OPEN_FLAGS (O_NOFOLLOW | O_CLOEXEC)
#define OPEN open /* VCWD_OPEN_MODE of a thread-safe PHP has followed links by then */
#endif

bool safehold_session_path(const struct safehold_session *session, const zend_string *id, char *path) {
  size_t at, length;

  if (session == NULL) return false; /* opening it failed, and a handler of errors calls functions of sessions */
  length = ZSTR_LEN(session->folder);
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

/* Whose file is open in this thread. */
ZEND_TLS struct safehold_session *current;

void safehold_session_close(struct safehold_session *session) {
  session->parents = false;
  if (session->file < 0) return;
  current = NULL;
  flock(session->file, LOCK_UN);
  close(session->file);
  session->file = -1;
}

#ifndef PHP_WIN32
/* A child that lives longer than the request would keep the lock. */
static void give_up_in_child(void) {
  if (current == NULL) return;
  close(current->file);
  current->file = -1;
  current->parents = true;
  current = NULL;
}
#endif

void safehold_session_startup(void) {
#ifndef PHP_WIN32
  pthread_atfork(NULL, NULL, give_up_in_child);
#endif
}

void safehold_session_free(struct safehold_session *session) {
  if (session->busy) {
    session->abandoned = true;
    if (session->wait != NULL) session->wait->deadline = 0; /* which ends the wait */
    return;
  }
  safehold_session_close(session);
  if (session->id != NULL) zend_string_release(session->id);
  zend_string_release(session->folder);
  efree(session);
}

/* As PHP: made by this user or by root, unless root itself serves. Else it may be another application's. */
static bool is_ours(const zend_stat_t *status) {
#ifdef PHP_WIN32
  (void)status;
  return true;
#else
  return status->st_uid == 0 || status->st_uid == getuid() || status->st_uid == geteuid() || getuid() == 0;
#endif
}

static double timeout(void) {
  return SAFEHOLD_G(session_lock_timeout) >= 0 ? SAFEHOLD_G(session_lock_timeout) : SAFEHOLD_G(lock_timeout);
}

/* 0, or a code of SAFE_E* after a warning; without one SAFE_EOWNER: a handler has forked, and this is the child. Its
   open file is the parent's, too, and the lock with it. */
static int wait_for_lock(struct safehold_session *session, int file, const char *path) {
  struct safehold_lock_ask ask = {NULL, HANDLE_OF(file), SAFE_LOCK_OPTIONS_INIT, false};
  safe_error error = SAFE_ERROR_INIT;
  struct safehold_wait wait;
  long process = (long)getpid();
  safe_lock *lock;
  int code;

  ask.options.method = METHOD;
  safehold_wait_begin(&wait, timeout());
  session->wait = &wait;
  code = safehold_lock_wait(&ask, &wait, &lock, &error);
  session->wait = NULL;
  if (code == SAFE_OK) safe_lock_detach(lock);
  if (session->abandoned) code = SAFE_EINTR;
  if (code == SAFE_OK && process != (long)getpid()) code = SAFE_EOWNER;
  if (code == SAFE_OK)
    session->file = file; /* for who ends the request, should the time be over */
  else
    close(file);
  if (code != SAFE_OK && code != SAFE_EINTR && code != SAFE_EOWNER)
    php_error_docref(NULL, E_WARNING, "%s: %s", path, error.message);
  safehold_wait_end(&wait);
  session->file = -1;
  return code;
}

static int refuse(int file) {
  close(file);
  php_error_docref(NULL, E_WARNING, "Session data file is not created by your uid");
  return -1;
}

/* -1 after a warning. */
static int open_locked(struct safehold_session *session, const char *path, zend_stat_t *status) {
  int file = OPEN(path, O_CREAT | O_RDWR | OPEN_FLAGS, session->mode);
  int code;

  if (file < 0) {
    php_error_docref(NULL, E_WARNING, "open(%s, O_RDWR) failed: %s (%d)", path, strerror(errno), errno);
    return -1;
  }
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (zend_fstat(file, status) != 0 || !is_ours(status)) return refuse(file); /* it is not even waited for */
    code = wait_for_lock(session, file, path);
    if (code == SAFE_EOWNER) return open_locked(session, path, status);
    if (code != SAFE_OK) return -1;
  }
  if (zend_fstat(file, status) != 0 || !is_ours(status)) return refuse(file);
  return file;
}

#define TRIES 32

/*
 * Close-on-exec from the first moment, where PHP's own handler waits for the lock with a descriptor that every child
 * gets. Who waited for a session that was destroyed or collected meanwhile has got a file that is gone: PHP's own
 * handler writes into that, and the session is lost. A lock that is free costs fewer system calls than there.
 */
static bool lock_file(struct safehold_session *session, const char *path) {
  zend_stat_t status;
  int file, tries;

  for (tries = 0; tries < TRIES; tries++) {
    file = open_locked(session, path, &status);
    if (file < 0) return false;
    if (status.st_nlink > 0) break;
    close(file);
  }
  if (tries == TRIES) {
    php_error_docref(NULL, E_WARNING, "%s was removed again and again while it was being locked", path);
    return false;
  }
  session->file = file;
  session->size = (size_t)status.st_size;
  current = session;
  return true;
}

static void change_id(struct safehold_session *session, zend_string *id) {
  safehold_session_close(session);
  if (session->id != NULL) zend_string_release(session->id);
  session->id = NULL;
  if (id != NULL) session->id = zend_string_copy(id);
}

static bool open_anew(struct safehold_session *session, zend_string *id) {
  char path[MAXPATHLEN];

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
  return lock_file(session, path);
}

/* False: it was abandoned. */
static bool settle(struct safehold_session *session) {
  session->busy = false;
  if (!session->abandoned) return true;
  safehold_session_free(session);
  return false;
}

bool safehold_session_open(struct safehold_session *session, zend_string *id) {
  bool opened = false;

  if (session->busy) return false;
  if (session->file >= 0 && session->id != NULL && zend_string_equals(id, session->id)) return true;
  session->busy = true;
  zend_try { opened = open_anew(session, id); }
  zend_catch {
    settle(session);
    zend_bailout();
  }
  zend_end_try();
  return settle(session) && opened;
}
