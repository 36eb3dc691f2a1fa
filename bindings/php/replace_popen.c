/* SPDX-License-Identifier: MIT */
#include "replace.h"

static zend_result apply_popen(void) { return FAILURE; }
const struct safehold_replacement safehold_replacement_popen = {"popen", apply_popen, NULL};

