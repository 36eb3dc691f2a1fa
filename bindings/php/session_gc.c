/* SPDX-License-Identifier: MIT */
/* What goes through a folder of sessions and removes those that nobody has used for long. */
#include "session_gc.h"

#include <errno.h>
#ifdef PHP_WIN32
#include "win32/readdir.h"
#define METHOD SAFE_METHOD_COMPAT
#else
#include <dirent.h>
#define METHOD SAFE_METHOD_FLOCK
#endif
#include <time.h>

#include "session_file.h"
#include "zend_virtual_cwd.h"

#if defined(VIRTUAL_DIR) && defined(PHP_WIN32)
/* Of this thread's own working directory. Elsewhere the folder is absolute already, and links would be followed. */
#define ABSOLUTE(path, buffer) expand_filepath(path, buffer)
#else
#define ABSOLUTE(path, buffer) (path)
#endif

static bool is_old(const zend_stat_t *status, int64_t now, zend_long lifetime) {
  return now - (int64_t)status->st_mtime > lifetime;
}

/* Whoever has a session locks it: what can be locked is in use by nobody. Its age is looked at again then, as a request
   may have used it in between. */
static bool remove_if_old(const char *path, int64_t now, zend_long lifetime) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  zend_stat_t status;
  safe_lock *lock;
  bool removed;

  if (VCWD_STAT(path, &status) != 0 || !is_old(&status, now, lifetime)) return false;
  options.method = METHOD;
  options.flags = 0;
  options.timeout_ms = SAFE_NO_WAIT;
  if (safe_lock_file(&lock, ABSOLUTE(path, (char[MAXPATHLEN]){0}), &options, NULL) != SAFE_OK) return false;
  removed = VCWD_STAT(path, &status) == 0 && is_old(&status, now, lifetime) && VCWD_UNLINK(path) == 0;
  safe_unlock(lock);
  return removed;
}

static zend_long clean(DIR *folder, const char *name, zend_long lifetime) {
  int64_t now = (int64_t)time(NULL);
  char path[MAXPATHLEN];
  struct dirent *entry;
  zend_long removed = 0;

  while ((entry = readdir(folder)) != NULL) {
    if (strncmp(entry->d_name, SAFEHOLD_SESSION_PREFIX, sizeof(SAFEHOLD_SESSION_PREFIX) - 1) != 0) continue;
    if (snprintf(path, sizeof(path), "%s%c%s", name, PHP_DIR_SEPARATOR, entry->d_name) >= (int)sizeof(path)) continue;
    removed += remove_if_old(path, now, lifetime);
  }
  return removed;
}

zend_long safehold_session_clean(const char *name, zend_long lifetime) {
  DIR *folder = VCWD_OPENDIR(name);
  zend_long removed;

  if (folder == NULL) {
    /* PHP's own words, which programs look for in logs. */
    php_error_docref(NULL, E_NOTICE, "ps_files_cleanup_dir: opendir(%s) failed: %s (%d)", name, strerror(errno), errno);
    return -1;
  }
  removed = clean(folder, name, lifetime);
  closedir(folder);
  return removed;
}
