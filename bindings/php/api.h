/* SPDX-License-Identifier: MIT */
/* The PHP classes and functions of the namespace Safehold. */
#ifndef SAFEHOLD_PHP_API_H
#define SAFEHOLD_PHP_API_H

#include "php_safehold.h"

void safehold_register_exceptions(void);
void safehold_register_lock(void);
void safehold_register_process(void);
void safehold_register_session(void); /* the save handler "safehold" */

/* Throws what fits the code: Safehold\TimeoutException for SAFE_ETIMEDOUT, ... The holders are looked up for
   `path`, which may be NULL. */
void safehold_throw(const safe_error *error, const char *path);

/* A Safehold\Holder for each entry of the list, into an array. */
void safehold_holders_to_array(const safe_holder_list *list, zval *array);

#endif
