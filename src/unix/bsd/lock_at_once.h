/* SPDX-License-Identifier: MIT */
/* Each lock is noted on its way to the kernel (lock_noted.c). */
#include "lock_at_once_none.h"
