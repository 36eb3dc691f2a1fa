/* SPDX-License-Identifier: MIT */
/* The server's log. A line is written in one piece, so that those of several threads do not mix. */
#ifndef CGI_SERVER_LOG_H
#define CGI_SERVER_LOG_H

#include <stddef.h>

/* To that file, at its end; NULL: to stderr. 0 or an errno. */
int log_open(const char *path);
/* One line, with the time before it. What a client or a script might have put into it cannot forge another one: control
   characters are written as \xNN. It never waits: what the log does not take at once is dropped, and counted in a later
   line. Returns how long the line is. */
size_t log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
