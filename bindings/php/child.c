/* SPDX-License-Identifier: MIT */
#include "child.h"
