# SPDX-License-Identifier: MIT
"""Peers' cost of an uncontended flock, ns: a line "row TAB peer TAB ns" each."""
import fcntl
import os
import time

PATH = "peer.lock"


def pairs(count):
    fd = os.open(PATH, os.O_RDWR | os.O_CREAT)
    began = time.perf_counter_ns()
    for _ in range(count):
        fcntl.flock(fd, fcntl.LOCK_EX)
        fcntl.flock(fd, fcntl.LOCK_UN)
    took = time.perf_counter_ns() - began
    os.close(fd)
    return took / count


def cycles(count):
    began = time.perf_counter_ns()
    for _ in range(count):
        fd = os.open(PATH, os.O_RDWR | os.O_CREAT)
        fcntl.flock(fd, fcntl.LOCK_EX)
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)
    return (time.perf_counter_ns() - began) / count


def best(measure, count):
    return min(measure(count) for _ in range(7))


print(f"lock.pair\tPython fcntl.flock\t{best(pairs, 20000):.0f}")
print(f"lock.cycle\tPython os.open + fcntl.flock\t{best(cycles, 5000):.0f}")
try:
    import filelock
except ImportError:
    pass
else:
    def filelock_cycles(count):
        began = time.perf_counter_ns()
        for _ in range(count):
            with filelock.FileLock(PATH):
                pass
        return (time.perf_counter_ns() - began) / count

    print(f"lock.cycle\tPython filelock {filelock.__version__}\t{best(filelock_cycles, 2000):.0f}")
