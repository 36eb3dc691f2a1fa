/* SPDX-License-Identifier: MIT */
#include "api.h"

void safehold_register_session(void) {}
