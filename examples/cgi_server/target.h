/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_TARGET_H
#define CGI_SERVER_TARGET_H

#include <stdbool.h>

struct target {
  char *path;        /* decoded, begins with "/", no "." and ".." among its segments, no empty one but the last */
  const char *query; /* after the first "?", not decoded; "" without one */
  char *authority;   /* "host:port" of an absolute target, or NULL */
};

/*
 * Reads the target of a request: "/path?query" or "http://host/path?query". What it gives lies in space, which has room
 * for twice the target's length + 4. NULL: done; else a sentence that says what is wrong with it: a bad or a doubtful
 * escape ("%00", "%2F"), a control character, a way out of the root.
 */
const char *target_read(struct target *target, const char *text, char *space);

/* Whether it can be the value of a Host header: a name or address, and maybe a port. */
bool target_host_is_valid(const char *host);

#endif
