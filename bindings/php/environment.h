/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_PHP_ENVIRONMENT_H
#define SAFEHOLD_PHP_ENVIRONMENT_H

#include "php_safehold.h"

/* A copy of the environment that putenv() changes, in one block for pefree(). NULL: the core finds the right one. */
const char **safehold_environment_copy(void);

/* In MINIT. */
void safehold_environment_startup(void);

#endif
