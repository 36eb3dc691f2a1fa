/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_SCRIPT_ENVIRONMENT_H
#define CGI_SERVER_SCRIPT_ENVIRONMENT_H

#include "exchange.h"
#include "script_find.h"

struct script_environment {
  const char *root; /* or NULL */
  const char *cgi_bin;
  const char *const *extra; /* NAME=value, ends with NULL; or NULL */
  int port;
  int64_t content_length; /* of the body that the script gets; 0: it gets none */
};

/*
 * The variables of RFC 3875 for a request: one block of memory, for free(), that begins with the list and ends with its
 * strings. NULL: no memory.
 */
char **script_environment_make(const struct exchange *exchange, const struct script_place *place,
                               const struct script_environment *what);

#endif
