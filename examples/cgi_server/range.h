/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_RANGE_H
#define CGI_SERVER_RANGE_H

#include <stdint.h>

enum range_kind {
  RANGE_NONE, /* all of it: no range, one in a form that is not known, or several */
  RANGE_ONE,
  RANGE_IMPOSSIBLE /* beyond the end */
};

/* The Range header "bytes=first-last" for a file of that size (RFC 9110 section 14.1.2): bytes [*begin, *end). */
enum range_kind range_read(const char *text, uint64_t size, uint64_t *begin, uint64_t *end);

#endif
