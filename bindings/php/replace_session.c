/* SPDX-License-Identifier: MIT */
#include "replace.h"

static zend_result apply_session(void) { return FAILURE; }
const struct safehold_replacement safehold_replacement_session = {"session", apply_session, NULL};

