/* SPDX-License-Identifier: MIT */
#include "replace.h"

static zend_result apply_exec(void) { return FAILURE; }
const struct safehold_replacement safehold_replacement_exec = {"exec", apply_exec, NULL};

static zend_result apply_shell_exec(void) { return FAILURE; }
const struct safehold_replacement safehold_replacement_shell_exec = {"shell_exec", apply_shell_exec, NULL};

static zend_result apply_system(void) { return FAILURE; }
const struct safehold_replacement safehold_replacement_system = {"system", apply_system, NULL};

static zend_result apply_passthru(void) { return FAILURE; }
const struct safehold_replacement safehold_replacement_passthru = {"passthru", apply_passthru, NULL};

