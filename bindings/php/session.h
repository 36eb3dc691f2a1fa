/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_PHP_SESSION_H
#define SAFEHOLD_PHP_SESSION_H

#include "php_safehold.h"

#include "ext/session/php_session.h"

/* The save handler "safehold". */
extern const ps_module safehold_session_module;
/* Whether this PHP has sessions. Without them none of their symbols may be touched. */
bool safehold_has_sessions(void);

#endif
