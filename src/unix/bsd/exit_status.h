/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_EXIT_STATUS_H
#define SAFEHOLD_EXIT_STATUS_H

#include "internal.h"

/* A status as wait(2) has it. */
void safe__exit_from_status(int status, safe_exit *exit);

#endif
