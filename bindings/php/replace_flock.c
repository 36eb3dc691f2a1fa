/* SPDX-License-Identifier: MIT */
#include "replace.h"

static zend_result apply_flock(void) { return FAILURE; }
const struct safehold_replacement safehold_replacement_flock = {"flock", apply_flock, NULL};

