/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_TOKEN_H
#define CGI_SERVER_TOKEN_H

#include <stdbool.h>

/* What names of headers are made of (RFC 9110 section 5.6.2). */
bool is_token_letter(char letter);
bool is_token(const char *text);

#endif
