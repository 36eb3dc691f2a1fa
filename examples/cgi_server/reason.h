/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_REASON_H
#define CGI_SERVER_REASON_H

/* "Not Found" for 404, as RFC 9110 section 15 has it; "Status" for a number that it does not have. */
const char *reason_of(int status);

#endif
