/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_PHP_SESSION_GC_H
#define SAFEHOLD_PHP_SESSION_GC_H

#include "php_safehold.h"

/* Removes the sessions in the folder that were not used for `lifetime` seconds. How many; -1: the folder cannot be
   read, and there was a notice. */
zend_long safehold_session_clean(const char *name, zend_long lifetime);

#endif
