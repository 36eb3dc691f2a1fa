/* SPDX-License-Identifier: MIT */
#include "safehold/version.h"

const char *safe_version(void) { return SAFE_VERSION_STRING; }

int safe_version_number(void) { return SAFE_VERSION_NUMBER; }
