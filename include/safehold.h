/* SPDX-License-Identifier: MIT */
/*
 * Safehold: file locks and child processes that never hang, never leak and always explain.
 *
 * Three promises hold for every function of these headers.
 *
 * 1. Never hangs. Every call that can block takes a deadline and can be cancelled. What the kernel will not let
 *    go of is parked on a list of the library's own, the call returns SAFE_ESTUCK, and the parked thing is
 *    collected when it can be. The one limit: opening or locking a file on a dead network or FUSE mount may
 *    exceed the deadline by what the kernel takes to give up.
 * 2. Never leaks. A child gets exactly the handles that were listed for it. The host's signal handlers, mask,
 *    working directory, umask, descriptors and other children are as they were when a call returns.
 * 3. Always explains. A safe_error names the stage, the system's code and, for a lock, the holder; its message
 *    is a sentence that can go to a log as it is.
 *
 * Calling rules, common to all:
 *
 * - A function returns 0 or a negative SAFE_E* number. Numbers are the same on every system and are never
 *   reused. errno and GetLastError are not part of the contract.
 * - Strings are UTF-8 on Windows and bytes elsewhere. They are read during the call and never kept.
 * - Times are milliseconds on a monotonic clock (CLOCK_MONOTONIC, which stands still while the machine is
 *   suspended on Linux and the BSDs; QueryUnbiasedInterruptTime, which does too, on Windows). SAFE_NO_WAIT is 0,
 *   SAFE_FOREVER is -1; any other negative number is SAFE_EINVAL.
 * - Every public struct starts with its size: initialise it with the SAFE_*_INIT macro of its name. A struct of
 *   an older, shorter layout is read as if the new fields were 0; a longer one with a non-zero tail is
 *   SAFE_ENEWER, because the caller asked for something that this library does not know. An unknown flag bit is
 *   SAFE_EINVAL.
 * - An options pointer may be NULL: then the defaults of its SAFE_*_INIT macro hold, which are all bounded.
 *   A safe_error pointer may be NULL.
 * - Threads: different objects are independent. One object belongs to one thread at a time, except that a
 *   safe_cancel may be triggered from anywhere, on POSIX also from a signal handler.
 * - fork: a child's copy of an object answers SAFE_EOWNER, and freeing or unlocking it only closes.
 */
#ifndef SAFEHOLD_H
#define SAFEHOLD_H

#include "safehold/error.h"
#include "safehold/hooks.h"
#include "safehold/inspect.h"
#include "safehold/lock.h"
#include "safehold/process.h"
#include "safehold/version.h"

#endif
