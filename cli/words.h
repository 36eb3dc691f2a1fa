/* SPDX-License-Identifier: MIT */
/* The library's numbers as the words that text and JSON have for them; NULL: not known. */
#ifndef SAFEHOLD_CLI_WORDS_H
#define SAFEHOLD_CLI_WORDS_H

#include <stdint.h>

const char *word_of_role(int32_t role);
const char *word_of_mode(int32_t mode);
const char *word_of_method(int32_t method);
const char *word_of_via(int32_t via);
const char *word_of_verdict(int32_t verdict);
const char *word_of_waits(int32_t waits);
const char *word_of_kind(int32_t kind);

#endif
