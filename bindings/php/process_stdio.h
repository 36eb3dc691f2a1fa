/* SPDX-License-Identifier: MIT */
/* The streams among the arguments of Safehold\Process. */
#ifndef SAFEHOLD_PHP_PROCESS_STDIO_H
#define SAFEHOLD_PHP_PROCESS_STDIO_H

#include "process_spec.h"

/* `stream` is 0, 1 or 2; `value` may be NULL. false: an exception was thrown. */
bool safehold_process_stdio(struct safehold_process_spec *spec, zval *value, int stream, safe_stdio *stdio);
/* Number in the child => stream. */
bool safehold_process_descriptors(struct safehold_process_spec *spec, HashTable *table);

#endif
