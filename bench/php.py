# SPDX-License-Identifier: MIT
"""php.py [--quick] [--only=START OF A ROW'S NAME] EXTENSION CHILD: PHP's functions on Safehold against PHP's own.

Prints the lines that report.py reads; raw is stock PHP. Two processes at a time take turns, one batch
each: `low` and `high` bound the ratio of the medians with a confidence of 95 % (bootstrap over the pairs)."""
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 60
# Row, word for the worker, turns in a batch, MiB that the process has.
ROWS = (
    ("php.flock", "flock", 2000, 0),
    ("php.session", "session", 100, 0),
    ("php.proc_open", "proc_open", 20, 0),
    ("php.proc_open.pipe", "proc_open.pipe", 20, 0),
    ("php.proc_open.shell", "proc_open.shell", 10, 0),
    ("php.proc_open.rss1g", "proc_open", 20, 1024),
    ("php.popen", "popen", 10, 0),
    ("php.popen.rss1g", "popen", 10, 1024),
    ("php.exec", "exec", 10, 0),
    ("php.shell_exec", "shell_exec", 10, 0),
)


class Worker:
    """A PHP process. It is asked, and answers, a line each."""

    def __init__(self, extension, child, megabytes):
        loaded = ["-d", f"extension={extension}", "-d", "safehold.replace=all"] if extension else []
        # Two of the same speed: no opcache, and none of what the machine's own configuration loads.
        command = ["php", "-n", *loaded, os.path.join(HERE, "php_worker.php"), child, str(megabytes)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, row, count=1):
        self.process.stdin.write(f"{row} {count}\n")

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"php ended with {self.process.wait(PATIENCE)}")
        return int(line)

    def measure(self, row, count):
        self.ask(row, count)
        return self.answer()

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def bounds(pairs):
    """Of the ratio of the two medians."""
    source, ratios = random.Random(1), []
    for _ in range(2000):
        drawn = source.choices(pairs, k=len(pairs))
        ratios.append(statistics.median(ours for ours, _ in drawn) / statistics.median(raw for _, raw in drawn))
    ratios.sort()
    return ratios[49], ratios[1949]


def report(name, unit, scale, pairs):
    ours, raw = ([pair[side] / scale for pair in pairs] for side in (0, 1))
    low, high = bounds(pairs)
    p99 = sorted(ours)[int((len(ours) - 1) * 0.99)]
    print(
        name,
        unit,
        f"{statistics.median(ours):.4g}",
        f"{statistics.median(raw):.4g}",
        f"{p99:.4g}",
        f"low={low:.3f}",
        f"high={high:.3f}",
        sep="\t",
        flush=True,
    )


def in_turns(rounds, ours, raw):
    """[(ours(), raw())]: whoever comes first in one round comes second in the next."""
    pairs = []
    for at in range(rounds):
        first, second = (ours, raw) if at % 2 == 0 else (raw, ours)
        one, other = first(), second()
        pairs.append((one, other) if at % 2 == 0 else (other, one))
    return pairs


def row(name, word, count, megabytes, extension, child, quick):
    """By several pairs of processes: where its memory happens to lie makes one faster than another for all its life."""
    pairs = []
    for _ in range(2 if quick else 10):
        workers = [Worker(extension, child, megabytes), Worker(None, child, megabytes)]
        try:
            for worker in workers:
                worker.measure(word, count)
            pairs += in_turns(
                3 if quick else 20, *(lambda worker=worker: worker.measure(word, count) for worker in workers)
            )
        finally:
            for worker in workers:
                worker.end()
    report(name, "us", 1000, pairs)


def hand_over(holder, waiter):
    """ns from the holder's unlock to the waiter's return: both are asleep when it begins."""
    holder.ask("lock")
    holder.answer()
    waiter.ask("lock")
    time.sleep(0.003)
    holder.ask("unlock")
    unlocked, got = holder.answer(), waiter.answer()
    waiter.ask("unlock")
    waiter.answer()
    return got - unlocked


def contended(extension, child, quick):
    """Who holds the lock is stock PHP in both cases. Who waits has a deadline, safehold.lock_timeout, or none."""
    workers = [Worker(None, child, 0), Worker(extension, child, 0), Worker(None, child, 0)]
    holder, ours, stock = workers
    processors = sorted(os.sched_getaffinity(0))
    try:
        for worker in workers:  # else it is mostly measured where the scheduler happens to have put each of them
            os.sched_setaffinity(worker.process.pid, {processors[0] if worker is holder else processors[-1]})
        for waiter in (ours, stock):
            hand_over(holder, waiter)
        pairs = in_turns(20 if quick else 400, lambda: hand_over(holder, ours), lambda: hand_over(holder, stock))
    finally:
        for worker in workers:
            worker.end()
    report("php.flock.contended", "us", 1000, pairs)


def main():
    options = [argument for argument in sys.argv[1:] if argument.startswith("--")]
    extension, child = map(os.path.abspath, sys.argv[1 + len(options) :])
    only, quick = (
        "".join(option[len("--only=") :] for option in options if option.startswith("--only=")),
        "--quick" in options,
    )
    with tempfile.TemporaryDirectory(prefix="safehold-php-") as folder:
        os.chdir(folder)
        for name, word, count, megabytes in ROWS:
            if name.startswith(only) or only.startswith(name + "."):
                row(name, word, count, megabytes, extension, child, quick)
        if "php.flock.contended".startswith(only):
            contended(extension, child, quick)
        os.chdir(HERE)


main()
