/* SPDX-License-Identifier: MIT */
/* What the command says in JSON. */
#ifndef SAFEHOLD_TEST_ANSWER_H
#define SAFEHOLD_TEST_ANSWER_H

#include <cJSON.h>

#include "support.h"

/* The one object that the text holds, and nothing but a newline behind it; checks that it is of the schema, has each of
   its fields, and each of these is of its kind. To be given back with cJSON_Delete. */
cJSON *answer_of(const char *text, const char *schema);
/* The words of a field, or "" for null. */
const char *answer_words(const cJSON *object, const char *key);
/* The element of the array at key that is this process, or NULL. */
const cJSON *answer_process(const cJSON *answer, const char *key, int64_t pid);

#endif
