/* SPDX-License-Identifier: MIT */
#include "wait.h"
