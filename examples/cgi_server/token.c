/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <string.h>

static const char letters[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool is_token_letter(char letter) { return letter != '\0' && strchr(letters, letter) != NULL; }

bool is_token(const char *text) { return *text != '\0' && text[strspn(text, letters)] == '\0'; }
