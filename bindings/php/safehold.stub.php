<?php

/** @generate-class-entries */

namespace Safehold {
    /** Why a file's lock is not to be had, or why a process does not go on. */
    function version(): string {}
}
