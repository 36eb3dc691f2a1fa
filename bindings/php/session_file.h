/* SPDX-License-Identifier: MIT */
/* One session's file, with its lock: the layout of PHP's own save handler "files". */
#ifndef SAFEHOLD_PHP_SESSION_FILE_H
#define SAFEHOLD_PHP_SESSION_FILE_H

#include "php_safehold.h"

#define SAFEHOLD_SESSION_PREFIX "sess_"

struct safehold_wait;

struct safehold_session {
  zend_string *folder;
  size_t depth; /* one folder for each of so many first characters of the id */
  int mode;
  zend_string *id;            /* whose file is open, or could not be opened */
  int file;                   /* open and locked; -1: none */
  size_t size;                /* what was in the file when it was locked, or was written since */
  bool parents;               /* the file was locked by the process that this one was forked from */
  bool unread;                /* a read has begun, and not come to its end: the request is ended by a fatal error */
  bool busy;                  /* a handler of signals or errors may run, and call functions of sessions */
  bool abandoned;             /* closed meanwhile; who is busy with it frees it */
  struct safehold_wait *wait; /* for its lock, or NULL */
};

/* False: the id is too short for that many folders, or the path too long. `path` has room for MAXPATHLEN bytes. */
bool safehold_session_path(const struct safehold_session *session, const zend_string *id, char *path);
/* Opens and locks the file of `id`, unless it is the one that is open. False, after a warning, where that fails: the
   session may be gone then. */
bool safehold_session_open(struct safehold_session *session, zend_string *id);
void safehold_session_free(struct safehold_session *session);
/* Unlocks and closes, so that the lock is free at once even if a forked child has the file too. */
void safehold_session_close(struct safehold_session *session);

/* In MINIT. */
void safehold_session_startup(void);

#endif
