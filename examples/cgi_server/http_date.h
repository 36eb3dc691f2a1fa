/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_HTTP_DATE_H
#define CGI_SERVER_HTTP_DATE_H

#include <time.h>

enum { HTTP_DATE_SIZE = 40 };

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). */
void http_date_write(char text[HTTP_DATE_SIZE], time_t when);
/* That, or one of the two obsolete forms; -1: none of them. */
time_t http_date_read(const char *text);

#endif
