# SPDX-License-Identifier: MIT
"""Peers' cost of spawning CHILD, us, and of 1 GiB through cat, s: spawn.py CHILD [START OF A ROW'S NAME]."""
import os
import platform
import statistics
import subprocess
import sys
import time

CHILD = sys.argv[1]
ONLY = sys.argv[2] if len(sys.argv) > 2 else ""
PEER = f"Python {platform.python_version()} subprocess"


def spawn_rows(suffix):
    if not any(row.startswith(ONLY) for row in (f"spawn.return{suffix}", f"spawn.wait{suffix}")):
        return
    returned, reaped = [], []
    start = time.perf_counter()
    while len(returned) < 5 or (len(returned) < 300 and time.perf_counter() - start < 0.7):
        began = time.perf_counter_ns()
        process = subprocess.Popen([CHILD], env={})
        returned.append(time.perf_counter_ns() - began)
        process.wait()
        reaped.append(time.perf_counter_ns() - began)
    for row, samples in ((f"spawn.return{suffix}", returned), (f"spawn.wait{suffix}", reaped)):
        if row.startswith(ONLY):
            print(f"{row}\t{PEER}\t{statistics.median(samples) / 1000:.4g}")


def cat():
    data = bytes(256 << 20)  # it keeps all of the output: hence a quarter of it
    began = time.perf_counter()
    process = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert len(process.communicate(data)[0]) == len(data)
    print(f"communicate.cat\t{PEER}\t{(time.perf_counter() - began) * 4:.4g}")


spawn_rows("")
for count in 1000, 15000:
    try:
        while os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) < count:
            pass
    except OSError:
        break
    spawn_rows(f".fds{count}")
os.closerange(3, 15001)
memory = bytearray(b"x" * (1 << 30))
spawn_rows(".rss1g")
del memory
if "communicate.cat".startswith(ONLY):
    cat()
