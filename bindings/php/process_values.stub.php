<?php

/**
 * SPDX-License-Identifier: MIT
 * @generate-class-entries
 */

namespace Safehold {
    /**
     * How a child ended.
     * @strict-properties
     * @not-serializable
     */
    final class ExitStatus implements \Stringable
    {
        /** The exit code; null if it was ended by a signal, or if nobody knows. */
        public readonly ?int $code;
        /** The signal that ended it, or null. */
        public readonly ?int $signal;
        /** false: it has ended, but its status was discarded by this process, and the kernel keeps none. */
        public readonly bool $known;
        public readonly bool $coreDumped;
        /** Seconds of CPU time of the child and of the children that it waited for. */
        public readonly ?float $userTime;
        public readonly ?float $systemTime;
        /** The most bytes of memory that it had at a time. */
        public readonly ?int $peakMemory;

        private function __construct() {}

        /** Whether it ended by itself with the code 0. */
        public function success(): bool {}

        public function __toString(): string {}
    }

    /**
     * What came of stop().
     * @strict-properties
     * @not-serializable
     */
    final class StopReport implements \Stringable
    {
        /**
         * It had ended already, and so had its group.
         * @var int
         * @cvalue SAFE_STOP_WAS_GONE
         */
        public const WAS_GONE = UNKNOWN;
        /**
         * The polite request was enough.
         * @var int
         * @cvalue SAFE_STOP_POLITE
         */
        public const POLITE = UNKNOWN;
        /**
         * It had to be killed.
         * @var int
         * @cvalue SAFE_STOP_FORCED
         */
        public const FORCED = UNKNOWN;
        /**
         * It is still there: the kernel will not end it.
         * @var int
         * @cvalue SAFE_STOP_STUCK
         */
        public const STUCK = UNKNOWN;

        /** One of the constants. */
        public readonly int $verdict;
        /** How the child itself ended; null if it has not. */
        public readonly ?ExitStatus $status;
        /** The numbers of the processes that are left. */
        public readonly array $left;
        /** State of the first one left, as a letter of proc(5), such as "D". */
        public readonly ?string $state;
        /** Where in the kernel the first one left waits. */
        public readonly ?string $waitChannel;
        /** What went wrong in words, or null. */
        public readonly ?string $message;

        private function __construct() {}

        public function __toString(): string {}
    }

    /**
     * What a child wrote, and how it ended.
     * @strict-properties
     * @not-serializable
     */
    final class Output
    {
        public readonly string $stdout;
        public readonly string $stderr;
        /** Whether there was more than the limit. */
        public readonly bool $stdoutCut;
        public readonly bool $stderrCut;
        /** Bytes that came, kept or not. */
        public readonly int $stdoutTotal;
        public readonly int $stderrTotal;
        /** The child has ended, but a process that it started keeps its output open: there may be more. */
        public readonly bool $heldOpen;
        /** The child closed its stdin before it had read all the input. */
        public readonly bool $inputRefused;
        /** null where the child runs on, see Process::output(). */
        public readonly ?ExitStatus $status;

        private function __construct() {}
    }
}
