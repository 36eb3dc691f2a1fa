/* SPDX-License-Identifier: MIT */
/* There is more to it than one call: ranges, and an overlapped request that has to be over (lock_ranges.c). */
#include "lock_at_once_none.h"
