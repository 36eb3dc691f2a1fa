# SPDX-License-Identifier: MIT
"""python3 partner.py KIND PATH: Python's locks as the other party of test_interop.c. See there for what is asked."""
import fcntl
import os
import platform
import sqlite3
import struct
import sys

OFD_SETLK = getattr(fcntl, "F_OFD_SETLK", 37)


class Busy(Exception):
    pass


def open_then(lock):
    """A party that opens the file, asks, and gives the lock back by closing the file."""

    def take(path, mode):
        file = open(path, "r+b", buffering=0)
        try:
            lock(file, mode == "s")
        except (BlockingIOError, PermissionError):
            file.close()
            raise Busy from None
        return file

    return take


def record(command, length):
    def lock(file, shared):
        # struct flock where off_t has 64 bits: type, whence, start, length, pid.
        kind = fcntl.F_RDLCK if shared else fcntl.F_WRLCK
        fcntl.fcntl(file, command, struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, length, 0))

    return open_then(lock)


def transaction(path, mode):
    database = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        if mode == "s":
            database.execute("BEGIN")
            database.execute("SELECT count(*) FROM t").fetchall()
        else:
            database.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        database.close()
        if "locked" not in str(error):
            raise
        raise Busy from None
    return database


def make_database(path):
    if not os.path.exists(path):
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE t (x)")
        database.commit()
        database.close()


def flags(shared):
    return (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB


python = "Python " + platform.python_version()
libc = " ".join(platform.libc_ver()) or "libc"
KINDS = {
    "flock": (open_then(lambda file, shared: fcntl.flock(file, flags(shared))), python),
    "lockf": (open_then(lambda file, shared: fcntl.lockf(file, flags(shared))), python),
    "lockf3": (open_then(lambda file, shared: os.lockf(file.fileno(), os.F_TLOCK, 0)), libc),
    "setlk": (record(fcntl.F_SETLK, 2**63 - 1), libc),
    "ofd": (record(OFD_SETLK, 0), libc),
    "sqlite": (transaction, "SQLite " + sqlite3.sqlite_version),
}

kind, path = sys.argv[1:]
take, version = KINDS[kind]
if kind == "sqlite":
    make_database(path)
print("ready:", version, flush=True)
held = None
for line in sys.stdin:
    words = line.split()
    if words[0] == "drop":
        held.close()
        held = None
        print("dropped", flush=True)
        continue
    try:
        held = take(path, words[1])
        print("held", flush=True)
    except Busy:
        print("busy", flush=True)
