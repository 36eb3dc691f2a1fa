<?php

/**
 * SPDX-License-Identifier: MIT
 * @generate-class-entries
 */

namespace Safehold;

/**
 * A process that has a lock on a file, or waits for one.
 * @strict-properties
 * @not-serializable
 */
final class Holder
{
    public readonly int $pid;
    /** The program's name, or "". */
    public readonly string $name;
    /** "holds", "waits", or "opens": the system does not tell whether it locks the file. */
    public readonly string $role;
    /** "exclusive" or "shared". */
    public readonly ?string $mode;
    /** "flock", "ofd", "posix", "far" or "compat". */
    public readonly ?string $method;
    public readonly ?int $fd;
    /** "unknown", "locked", "inherited" or "record": how it comes to have the lock. */
    public readonly string $via;
    /** Seconds since 1970. */
    public readonly ?float $since;
    /** One letter, as ps(1) shows it. */
    public readonly ?string $state;
    public readonly int $offset;
    public readonly int $length;

    private function __construct() {}
}

/**
 * One step of the chain: who waits, for what, and for whom.
 * @strict-properties
 * @not-serializable
 */
final class Link
{
    public readonly int $pid;
    public readonly string $name;
    /** "nothing", "lock", "child", "input", "room", "continue", "debugger", "kernel", "reaping" or "other". */
    public readonly string $waits;
    /** The file, the pipe, or where in the kernel. */
    public readonly string $what;
    public readonly ?int $other;
    public readonly string $otherName;
    public readonly ?int $thread;
    public readonly ?int $fd;
    public readonly ?float $since;
    /** The wait ends by itself after so many seconds. */
    public readonly ?float $limit;
    public readonly bool $inCycle;

    private function __construct() {}
}

/**
 * @strict-properties
 * @not-serializable
 */
final class Explanation implements \Stringable
{
    /** The whole story in plain sentences. */
    public readonly string $text;
    /** "free", "held", "cycle", "stuck" or "unknown". */
    public readonly string $verdict;
    public readonly ?string $file;
    /** @var Holder[] */
    public readonly array $holders;
    /** @var Link[] */
    public readonly array $links;
    /** @var string[] what could not be seen */
    public readonly array $unknown;

    private function __construct() {}

    public function __toString(): string {}
}

/**
 * A handle that a child would inherit which is started without care.
 * @strict-properties
 * @not-serializable
 */
final class Leak
{
    public readonly int $fd;
    /** "file", "folder", "pipe", "socket", "device", "memory", "event", "process" or "other". */
    public readonly string $kind;
    /** The path, or what the system calls it. */
    public readonly string $what;
    /** A child would keep this lock alive: "exclusive" or "shared". */
    public readonly ?string $lockMode;
    public readonly ?string $lockMethod;

    private function __construct() {}
}
