<?php

/**
 * SPDX-License-Identifier: MIT
 * @generate-class-entries
 */

namespace Safehold;

/** What went wrong, as a whole sentence; getCode() is the number of the SAFE_E* that getSafeCode() names. */
class Exception extends \RuntimeException
{
    protected string $safeCode = "";
    protected string $stage = "";
    protected int $index = -1;
    protected int $osCode = 0;

    /** "SAFE_ETIMEDOUT", ... */
    final public function getSafeCode(): string {}
    /** Where it failed, in words: "opening the lock file". */
    final public function getStage(): string {}
    /** Which element of a list, or -1. */
    final public function getIndex(): int {}
    /** errno or GetLastError, or 0. */
    final public function getOsCode(): int {}
}

/** The time is over, or somebody else has the lock and no waiting was asked for. */
class TimeoutException extends Exception
{
    protected array $holders = [];
    protected ?int $holderPid = null;

    /** @return Holder[] who had the lock, and who else waited, when the time was over */
    final public function getHolders(): array {}
    final public function getHolderPid(): ?int {}
}

/** Waiting would be for oneself. */
class DeadlockException extends Exception {}

/** The kernel does not let go. */
class StuckException extends Exception {}

/** The lock that was held is gone. */
class LostException extends Exception {}

/** The object belongs to the process that this one was forked from. */
class OwnerException extends Exception {}

/** A file, folder or program is not there, not of the right kind, or not for us. */
class PathException extends Exception {}

/** This system, or this file system, cannot do it. */
class UnsupportedException extends Exception {}
