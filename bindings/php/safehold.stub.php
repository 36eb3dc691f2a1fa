<?php

/**
 * SPDX-License-Identifier: MIT
 * @generate-function-entries
 */

namespace Safehold {
    /** The version of the core library. */
    function version(): string {}
}
