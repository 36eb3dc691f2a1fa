/* SPDX-License-Identifier: MIT */
/* safehold.replace: which of PHP's own functions run on Safehold instead. */
#ifndef SAFEHOLD_PHP_REPLACE_H
#define SAFEHOLD_PHP_REPLACE_H

#include "php_safehold.h"

/* Called once, in MINIT, with the value of safehold.replace: a list, separated by commas. FAILURE with an error
   printed for a name that is not known. */
zend_result safehold_replace_all(const char *list);
/* For phpinfo(): the names that are in effect, separated by commas; "none". */
const char *safehold_replaced(void);
/* In MSHUTDOWN: puts everything back. */
void safehold_replace_none(void);

/* Swaps the handler of one of PHP's functions; `original` gets the old one and may be NULL. FAILURE if this PHP has no
   such function, or if it was disabled (disable_functions), which must stay as it is. */
zend_result safehold_replace_function(const char *name, zif_handler with, zif_handler *original);

/* When all streams are closed: forgets those whose closing the script's code has ended in the middle, by a fatal error
   in a filter. */
void safehold_popen_request_end(void);

/* One for each name, in the file replace_NAME.c; called in this order. undo may be NULL. */
struct safehold_replacement {
  const char *name;
  zend_result (*apply)(void);
  void (*undo)(void);
};

extern const struct safehold_replacement safehold_replacement_flock;
extern const struct safehold_replacement safehold_replacement_proc_open;
extern const struct safehold_replacement safehold_replacement_exec;
extern const struct safehold_replacement safehold_replacement_shell_exec;
extern const struct safehold_replacement safehold_replacement_system;
extern const struct safehold_replacement safehold_replacement_passthru;
extern const struct safehold_replacement safehold_replacement_popen;
extern const struct safehold_replacement safehold_replacement_session;
extern const struct safehold_replacement safehold_replacement_cloexec;

#endif
