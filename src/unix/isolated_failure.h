/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_ISOLATED_FAILURE_H
#define SAFEHOLD_ISOLATED_FAILURE_H

#include "os.h"

/* The caller's error for what a helper of SAFE_LOCK_ISOLATE could not do; code is a SAFE_E* where the system has no
   number for it, or 0. */
int safe__isolated_failed(int code, int stage, int os_code, safe_error *error);

#endif
