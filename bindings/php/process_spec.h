/* SPDX-License-Identifier: MIT */
/* The arguments of Safehold\Process::__construct(), as safe_spawn wants them. */
#ifndef SAFEHOLD_PHP_PROCESS_SPEC_H
#define SAFEHOLD_PHP_PROCESS_SPEC_H

#include "php_safehold.h"

#define SAFEHOLD_LIMITS 6 /* kinds of safe_limit */

struct safehold_process_spec {
  safe_spawn_options options;
  zval owned; /* an array with every string that the options point into */
  const char **argv, **env, **env_changes;
  safe_child_handle *handles;
  uint32_t *groups;
  safe_limit limits[SAFEHOLD_LIMITS];
};

/* Reads the arguments. false: an exception was thrown. Whatever happened, safehold_process_spec_free has to follow;
   until then the options are good. */
bool safehold_process_spec_read(struct safehold_process_spec *spec, INTERNAL_FUNCTION_PARAMETERS);
void safehold_process_spec_free(struct safehold_process_spec *spec);

/* The string then goes with the spec. */
const char *safehold_process_keep(struct safehold_process_spec *spec, zend_string *string);

#endif
