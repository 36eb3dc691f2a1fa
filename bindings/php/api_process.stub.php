<?php

/**
 * SPDX-License-Identifier: MIT
 * @generate-class-entries
 */

namespace Safehold {
    /**
     * A child process that gets what is listed here and nothing else. Freed while the child runs, it ends the child, with
     * safehold.stop_grace, unless detach() was called.
     * @strict-properties
     * @not-serializable
     */
    final class Process
    {
        /**
         * Its group or session, and its descendants as far as they can be found.
         * @var int
         * @cvalue SAFE_TREE_DEFAULT
         */
        public const TREE_DEFAULT = UNKNOWN;
        /**
         * Its group or session only: a daemon that leaves it lives on.
         * @var int
         * @cvalue SAFE_TREE_GROUP
         */
        public const TREE_GROUP = UNKNOWN;
        /**
         * All of them, by a cgroup or else by a guard process.
         * @var int
         * @cvalue SAFE_TREE_WHOLE
         */
        public const TREE_WHOLE = UNKNOWN;
        /**
         * A cgroup, or the child is not started.
         * @var int
         * @cvalue SAFE_TREE_CGROUP
         */
        public const TREE_CGROUP = UNKNOWN;

        /**
         * @param array|string $command the program and its arguments; a string is for the shell
         * @param array|null $env replaces the environment; name => value
         * @param array $envChanges to that or to PHP's own: name => value, or null to take it away
         * @param string|array|resource $stdin "inherit", "null", "pipe", "pty", a stream, or ['file', path, 'r']
         * @param string|array|resource $stdout the same, with the modes 'w', 'a' and 'x'
         * @param string|array|resource $stderr the same, and "stdout"
         * @param array $descriptors number in the child, from 3 on => stream
         * @param float|null $spawnTimeout seconds until the program must have been loaded; null: 10
         * @param array $limits memory, cpu, files, processes, core, fileSize => number, or null for none
         * @param int|null $uid with $gid and $groups: only where PHP may change to it
         * @param bool $newSession a session of its own, without the terminal
         * @param bool $dieWithParent it is killed when this process has ended, however it did
         * @param int $columns of a "pty"
         */
        public function __construct(
            array|string $command,
            ?string $cwd = null,
            ?array $env = null,
            array $envChanges = [],
            mixed $stdin = "inherit",
            mixed $stdout = "inherit",
            mixed $stderr = "inherit",
            array $descriptors = [],
            ?float $spawnTimeout = null,
            array $limits = [],
            int $tree = Process::TREE_DEFAULT,
            ?int $uid = null,
            ?int $gid = null,
            ?array $groups = null,
            ?int $umask = null,
            int $nice = 0,
            bool $newSession = false,
            bool $dieWithParent = false,
            int $columns = 80,
            int $rows = 24
        ) {}

        /**
         * Starts a program, gives it the input, collects its output and waits for its end, after which nothing of it is
         * left. What else is named goes to the constructor; "stdout" and "stderr" are "pipe" unless it says otherwise.
         * @param float|null $timeout seconds for all of it; null: safehold.exec_timeout; negative: for ever
         * @param int|null $limit bytes of each output that are kept; null: 64 MiB
         */
        public static function run(
            array|string $command,
            string $input = "",
            ?float $timeout = null,
            ?int $limit = null,
            mixed ...$options
        ): Output {}

        public function pid(): int {}

        /**
         * Our end of the child's stdin (0), stdout (1) or stderr (2) as a stream.
         * @return resource
         */
        public function pipe(int $number) {}

        /** @param float|null $timeout seconds; null: safehold.exec_timeout; negative: for ever */
        public function wait(?float $timeout = null): ExitStatus {}

        public function isRunning(): bool {}

        /**
         * false: it has ended, and with $group so has its process group.
         * @param int $signal 0: only looks whether it is there
         */
        public function signal(int $signal, bool $group = false): bool {}

        /**
         * Ends the child and what is left of its tree: politely, then by force.
         * @param float|null $grace seconds between the two; null: safehold.stop_grace
         */
        public function stop(?float $grace = null): StopReport {}

        /**
         * Gives the child its input, collects what it writes to pipes, and waits for its end, all at once. May be called
         * again after a TimeoutException, and then goes on: nothing is lost.
         * @param float|null $timeout seconds for all of it; null: safehold.exec_timeout; negative: for ever
         * @param int|null $limit bytes of each output that are kept; null: 64 MiB
         */
        public function communicate(string $input = "", ?float $timeout = null, ?int $limit = null): Output {}

        /** What communicate() has collected so far. */
        public function output(): Output {}

        /** The child lives on when this object is freed. */
        public function detach(): void {}

        /** How the tree is kept together: "kind", "guard", "cgroup" and "limitsLacking". */
        public function tree(): array {}

        /** The new size of a "pty". */
        public function resize(int $columns, int $rows): void {}
    }
}
