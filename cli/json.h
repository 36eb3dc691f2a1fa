/* SPDX-License-Identifier: MIT */
/* The answers as JSON, the schema of which is docs/explain.md's. */
#ifndef SAFEHOLD_CLI_JSON_H
#define SAFEHOLD_CLI_JSON_H

#include <cJSON.h>

#include "cli.h"

/* NULL without memory. failure: the sentence that says why there is nothing else to tell, or NULL. */
cJSON *json_why(const char *file, int64_t pid, const safe_explanation *why, const char *failure);
cJSON *json_holders(const char *file, const safe_holder_list *holders, int32_t verdict, const char *failure);
cJSON *json_leaks(int64_t pid, const safe_handle_list *leaks, const char *failure);

#endif
