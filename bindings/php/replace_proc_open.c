/* SPDX-License-Identifier: MIT */
#include "replace.h"

static zend_result apply_proc_open(void) { return FAILURE; }
const struct safehold_replacement safehold_replacement_proc_open = {"proc_open", apply_proc_open, NULL};

