<?php

/**
 * SPDX-License-Identifier: MIT
 * @generate-class-entries
 */

namespace Safehold;

/**
 * @strict-properties
 * @not-serializable
 */
final class Lock
{
    /**
     * @var int
     * @cvalue SAFE_LOCK_EXCLUSIVE
     */
    const EXCLUSIVE = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_LOCK_SHARED
     */
    const SHARED = UNKNOWN;

    /**
     * What flock() of PHP sees.
     * @var int
     * @cvalue SAFE_METHOD_DEFAULT
     */
    const METHOD_DEFAULT = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_METHOD_OFD
     */
    const METHOD_OFD = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_METHOD_FLOCK
     */
    const METHOD_FLOCK = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_METHOD_FAR
     */
    const METHOD_FAR = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_METHOD_BOTH
     */
    const METHOD_BOTH = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_METHOD_POSIX
     */
    const METHOD_POSIX = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_METHOD_COMPAT
     */
    const METHOD_COMPAT = UNKNOWN;

    /**
     * @var int
     * @cvalue SAFE_LOCK_CREATE
     */
    const CREATE = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_LOCK_FOLLOW_SYMLINKS
     */
    const FOLLOW_SYMLINKS = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_LOCK_FAIR
     */
    const FAIR = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_LOCK_ISOLATE
     */
    const ISOLATE = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_LOCK_REMOVE_ON_UNLOCK
     */
    const REMOVE_ON_RELEASE = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_LOCK_RECORD_OWNER
     */
    const RECORD_OWNER = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_LOCK_CHECK_OWNER
     */
    const CHECK_OWNER = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_LOCK_REGULAR_ONLY
     */
    const REGULAR_ONLY = UNKNOWN;

    /**
     * @var int
     * @cvalue SAFE_WAIT_NONE
     */
    const WAIT_NONE = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_WAIT_QUEUED
     */
    const WAIT_QUEUED = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_WAIT_BACKOFF
     */
    const WAIT_BACKOFF = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_WAIT_PLAIN
     */
    const WAIT_PLAIN = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_WAIT_SIGNAL
     */
    const WAIT_SIGNAL = UNKNOWN;
    /**
     * @var int
     * @cvalue SAFE_WAIT_RING
     */
    const WAIT_RING = UNKNOWN;

    /** @param string|resource $target a path, or an open stream of a plain file */
    public function __construct(mixed $target, int $mode = Lock::EXCLUSIVE, ?float $timeout = null, int $offset = 0, int $length = 0, int $method = Lock::METHOD_DEFAULT, ?string $label = null, int $flags = Lock::CREATE) {}

    /** @param string|resource $target */
    public static function try(mixed $target, int $mode = Lock::EXCLUSIVE, ?float $timeout = 0.0, int $offset = 0, int $length = 0, int $method = Lock::METHOD_DEFAULT, ?string $label = null, int $flags = Lock::CREATE): ?Lock {}

    public function convert(int $mode, ?float $timeout = null): void {}

    public function release(): void {}

    public function isHeld(): bool {}

    public function waitKind(): int {}

    /** @return Holder[] */
    public function holders(): array {}

    /** @return Holder[] */
    public static function holdersOf(string $path, float $timeout = 0.25): array {}
}
