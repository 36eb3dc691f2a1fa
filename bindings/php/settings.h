/* SPDX-License-Identifier: MIT */
/* What a setting may be: a number of seconds, and nothing that merely begins like one. */
#ifndef SAFEHOLD_PHP_SETTINGS_H
#define SAFEHOLD_PHP_SETTINGS_H

#include "php_safehold.h"

/* Negative: for ever. */
ZEND_INI_MH(safehold_update_timeout);
/* Not negative, and a day at most. */
ZEND_INI_MH(safehold_update_grace);

#endif
