/* SPDX-License-Identifier: MIT */
/* The extension's own seam: what its files offer each other. ARCHITECTURE.md beside it says which file does what. */
#ifndef PHP_SAFEHOLD_H
#define PHP_SAFEHOLD_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "php.h"
#include "php_ini.h"
#include "safehold.h"

extern zend_module_entry safehold_module_entry;
#define phpext_safehold_ptr &safehold_module_entry

#define PHP_SAFEHOLD_VERSION "0.1.0"

ZEND_BEGIN_MODULE_GLOBALS(safehold)
double lock_timeout;         /* seconds; negative: for ever */
double session_lock_timeout; /* seconds; negative: as lock_timeout */
double exec_timeout;         /* seconds; negative: for ever */
double stop_grace;           /* seconds from the polite request to the forced end */
char *replace;               /* which functions of PHP's own are replaced; PHP_INI_SYSTEM */
double waited;               /* seconds that this request has spent in waits, which max_execution_time's own clock,
                                that counts CPU time, does not see */
#ifdef VIRTUAL_DIR
char folder[MAXPATHLEN]; /* the script's own working directory, for the child that is being made */
#endif
ZEND_END_MODULE_GLOBALS(safehold)

ZEND_EXTERN_MODULE_GLOBALS(safehold)
#define SAFEHOLD_G(v) ZEND_MODULE_GLOBALS_ACCESSOR(safehold, v)

#if defined(ZTS) && defined(COMPILE_DL_SAFEHOLD)
ZEND_TSRMLS_CACHE_EXTERN()
#endif

#endif
