/* SPDX-License-Identifier: MIT */
/* The PHP classes and functions of the namespace Safehold. */
#ifndef SAFEHOLD_PHP_API_H
#define SAFEHOLD_PHP_API_H

#include "php_safehold.h"

void safehold_register_exceptions(void);
void safehold_register_explain(void);
void safehold_register_lock(void);
void safehold_register_process(void);
void safehold_register_session(void); /* the save handler "safehold" */

/* Throws what fits the code: Safehold\TimeoutException for SAFE_ETIMEDOUT, ..., \ValueError for SAFE_EINVAL. The
   holders are looked up for `path`, which may be NULL. Does nothing where an exception is on its way already. */
void safehold_throw(const safe_error *error, const char *path);

/* A Safehold\Holder for each entry of the list, into an array. */
void safehold_holders_to_array(const safe_holder_list *list, zval *array);
/* Asks at most `timeout_ms`, and makes `array` an array; an empty one where that fails. */
void safehold_look_for_holders(const char *path, int64_t timeout_ms, zval *array);

/* The absolute path that PHP's own functions would open, to efree; NULL after an exception, where it is not one or
   open_basedir forbids it. `argument` is its number. */
char *safehold_path(const zend_string *name, uint32_t argument);
/* The bound of a look: false, after an exception, unless it is between 0 and a day. */
bool safehold_query_ms(double seconds, uint32_t argument, int64_t *ms);

#endif
