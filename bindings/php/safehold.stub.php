<?php

/**
 * SPDX-License-Identifier: MIT
 * @generate-function-entries
 */

namespace Safehold {
    /** The version of the core library. */
    function version(): string {}

    /** Why a file's lock is not to be had, or why a process does not go on. */
    function why(string|int $target, float $timeout = 1.0): Explanation {}

    /**
     * What a child would inherit that is started without care; without pid: of this process.
     * @return Leak[]
     */
    function leaks(?int $pid = null, float $timeout = 1.0): array {}
}
