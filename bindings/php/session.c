/* SPDX-License-Identifier: MIT */
/*
 * The save handler "safehold". Its files are those of PHP's own handler "files" (ext/session/mod_files.c): the same
 * names, contents, checks and locks, so that requests of both exclude each other. Its messages are PHP's, too.
 */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#ifdef PHP_WIN32
#include <io.h>
#include <sys/utime.h>
#else
#include <unistd.h>
#include <utime.h>
#endif

#include "api.h"
#include "php_open_temporary_file.h"
#include "session_file.h"
#include "session_gc.h"
#include "zend_virtual_cwd.h"

PS_FUNCS_UPDATE_TIMESTAMP(safehold)

const ps_module safehold_session_module = {PS_MOD_UPDATE_TIMESTAMP(safehold)};

bool safehold_has_sessions(void) { return zend_hash_str_exists(&module_registry, "session", sizeof("session") - 1); }

void safehold_register_session(void) {
  if (!safehold_has_sessions()) return;
  safehold_session_startup();
  php_session_register_module(&safehold_session_module);
}

/* ---- Open and close. */

static bool parse_number(const char *text, int base, const char *which, zend_long *number) {
  errno = 0;
  *number = ZEND_STRTOL(text, NULL, base);
  if (errno != ERANGE && (base == 10 || (*number >= 0 && *number <= 07777))) return true;
  php_error(E_WARNING, "The %s parameter in session.save_path is invalid", which);
  return false;
}

/* [DEPTH;[MODE;]]FOLDER; what comes after a second semicolon is all of the folder. */
static const char *parse_path(const char *path, zend_long *depth, zend_long *mode) {
  const char *second = strchr(path, ';');
  const char *third = second != NULL ? strchr(second + 1, ';') : NULL;

  if (second == NULL) return path;
  if (!parse_number(path, 10, "first", depth)) return NULL;
  if (third == NULL) return second + 1;
  return parse_number(second + 1, 8, "second", mode) ? third + 1 : NULL;
}

#if defined(VIRTUAL_DIR) && !defined(PHP_WIN32)
/* Of this thread's own working directory, which system calls do not know. */
static zend_string *whole_path(const char *path) {
  char folder[MAXPATHLEN];

  if (IS_ABSOLUTE_PATH(path, strlen(path)) || VCWD_GETCWD(folder, sizeof(folder)) == NULL)
    return zend_string_init(path, strlen(path), false);
  return strpprintf(0, "%s/%s", folder, path);
}
#else
static zend_string *whole_path(const char *path) { return zend_string_init(path, strlen(path), false); }
#endif

PS_OPEN_FUNC(safehold) {
  struct safehold_session *session;
  zend_long depth = 0, mode = 0600;

  (void)session_name;
  if (*save_path == '\0') {
    save_path = php_get_temporary_directory();
    if (php_check_open_basedir(save_path)) return FAILURE;
  }
  save_path = parse_path(save_path, &depth, &mode);
  if (save_path == NULL) return FAILURE;
  if (PS_GET_MOD_DATA() != NULL) ps_close_safehold(mod_data);
  session = ecalloc(1, sizeof(*session));
  session->folder = whole_path(save_path);
  session->file = -1;
  session->depth = (size_t)depth;
  session->mode = (int)mode;
  PS_SET_MOD_DATA(session);
  return SUCCESS;
}

PS_CLOSE_FUNC(safehold) {
  safehold_session_free(PS_GET_MOD_DATA());
  PS_SET_MOD_DATA(NULL);
  return SUCCESS;
}

/* ---- Read and write. */

#ifdef PHP_WIN32

static int64_t read_at_start(int file, char *bytes, size_t length) {
  return _lseeki64(file, 0, SEEK_SET) == 0 ? _read(file, bytes, (unsigned)MIN(length, INT_MAX)) : -1;
}

static int64_t write_at_start(int file, const char *bytes, size_t length) {
  return _lseeki64(file, 0, SEEK_SET) == 0 ? _write(file, bytes, (unsigned)MIN(length, INT_MAX)) : -1;
}

#else

static int64_t read_at_start(int file, char *bytes, size_t length) { return pread(file, bytes, length, 0); }

static int64_t write_at_start(int file, const char *bytes, size_t length) { return pwrite(file, bytes, length, 0); }

#endif

static zend_result read_all(struct safehold_session *session, zend_string **val) {
  int64_t got;
  int error;

  if (session->size == 0) {
    *val = ZSTR_EMPTY_ALLOC();
    return SUCCESS;
  }
  *val = zend_string_alloc(session->size, false);
  got = read_at_start(session->file, ZSTR_VAL(*val), session->size);
  if (got == (int64_t)session->size) {
    ZSTR_VAL(*val)[got] = '\0';
    return SUCCESS;
  }
  error = errno;
  zend_string_release(*val);
  *val = ZSTR_EMPTY_ALLOC();
  if (got < 0)
    php_error_docref(NULL, E_WARNING, "Read failed: %s (%d)", strerror(error), error);
  else
    php_error_docref(NULL, E_WARNING, "Read returned less bytes than requested");
  return FAILURE;
}

PS_READ_FUNC(safehold) {
  struct safehold_session *session = PS_GET_MOD_DATA();
  zend_result result;

  (void)maxlifetime;
  session->unread = true;
  if (!safehold_session_open(session, key)) return FAILURE;
  result = read_all(session, val);
  if (result == SUCCESS) session->unread = false; /* else a handler of errors may have closed it */
  return result;
}

static zend_result write_all(struct safehold_session *session, const zend_string *value) {
  int64_t written;

  if (ZSTR_LEN(value) < session->size) php_ignore_value(ftruncate(session->file, 0));
  written = write_at_start(session->file, ZSTR_VAL(value), ZSTR_LEN(value));
  session->size = ZSTR_LEN(value);
  if (written == (int64_t)ZSTR_LEN(value)) return SUCCESS;
  if (written < 0)
    php_error_docref(NULL, E_WARNING, "Write failed: %s (%d)", strerror(errno), errno);
  else
    php_error_docref(NULL, E_WARNING, "Write wrote less bytes than requested");
  return FAILURE;
}

/* The parent goes on with the session and writes it when it ends. What a child wrote would be lost then, or would undo
   what the parent or the next request has written. */
static bool is_parents(const struct safehold_session *session, const zend_string *id) {
  return session->parents && zend_string_equals(session->id, id);
}

/* A fatal error while the session was waited for or read: PHP takes it for an empty one when the request ends, and
   would write that. */
static bool is_unread(const struct safehold_session *session, const zend_string *id) {
  return session->unread && (session->id == NULL || zend_string_equals(session->id, id));
}

PS_WRITE_FUNC(safehold) {
  struct safehold_session *session = PS_GET_MOD_DATA();

  (void)maxlifetime;
  if (is_unread(session, key)) return CG(unclean_shutdown) ? SUCCESS : FAILURE;
  if (is_parents(session, key)) {
    php_error_docref(NULL, E_WARNING,
                     "The session belongs to the process that this one was forked from: nothing is written. Call "
                     "session_abort() in the child");
    return SUCCESS;
  }
  return safehold_session_open(session, key) ? write_all(session, val) : FAILURE;
}

PS_UPDATE_TIMESTAMP_FUNC(safehold) {
  struct safehold_session *session = PS_GET_MOD_DATA();
  char path[MAXPATHLEN];

  if (!safehold_session_path(session, key, path)) return FAILURE;
  if (is_parents(session, key)) return SUCCESS;
  if (is_unread(session, key)) return ps_write_safehold(mod_data, key, val, maxlifetime);
  if (VCWD_UTIME(path, NULL) == 0) return SUCCESS;
  return ps_write_safehold(mod_data, key, val, maxlifetime);
}

/* ---- The end of sessions. */

/* Removed while it is locked: who waits for it finds that its file is gone, and makes a new one. Windows does not
   remove what is open. */
PS_DESTROY_FUNC(safehold) {
  struct safehold_session *session = PS_GET_MOD_DATA();
  char path[MAXPATHLEN];
  bool removed;

  if (!safehold_session_path(session, key, path)) return FAILURE;
  if (is_parents(session, key)) {
    php_error_docref(NULL, E_WARNING, "The session belongs to the process that this one was forked from");
    return FAILURE;
  }
  if (session->file < 0) return SUCCESS;
#ifdef PHP_WIN32
  safehold_session_close(session);
#endif
  removed = VCWD_UNLINK(path) == 0 || VCWD_ACCESS(path, F_OK) != 0;
  safehold_session_close(session);
  return removed ? SUCCESS : FAILURE;
}

PS_GC_FUNC(safehold) {
  struct safehold_session *session = PS_GET_MOD_DATA();

  /* As PHP: folders in folders are left to a program of the administrator's. */
  *nrdels =
    session != NULL && session->depth == 0 ? safehold_session_clean(ZSTR_VAL(session->folder), maxlifetime) : -1;
  return *nrdels;
}

/* ---- Ids. */

static bool exists(const struct safehold_session *session, const zend_string *id) {
  char path[MAXPATHLEN];
  zend_stat_t status;

  return id != NULL && safehold_session_path(session, id, path) && VCWD_STAT(path, &status) == 0;
}

#define TRIES 4 /* PHP's own number */

PS_CREATE_SID_FUNC(safehold) {
  const struct safehold_session *session = PS_GET_MOD_DATA();
  zend_string *id;
  int tries;

  for (tries = 0; tries < TRIES; tries++) {
    id = php_session_create_id(mod_data);
    if (id != NULL && (session == NULL || !exists(session, id))) return id;
    if (id != NULL) zend_string_release(id);
  }
  return NULL;
}

PS_VALIDATE_SID_FUNC(safehold) { return exists(PS_GET_MOD_DATA(), key) ? SUCCESS : FAILURE; }
