# SPDX-License-Identifier: MIT
"""python3 tell.py SAFEHOLD_SO CGI_SERVER: tells in a few lines what test_story.py tries, for the demo."""
import concurrent.futures
import os
import pathlib
import re
import sys
import time

import servers
from harness import PATIENCE, eventually
from servers import visit

WATCH = 5.0


def say(who, what):
    print(f"  {who + ':':<12} {what}", flush=True)


def first_visit(server):
    _, text, cookie, _ = visit(server, "?report=1")
    say("visitor 1", f'"{text.strip()}"; a report is begun in the background')
    return cookie


def tell_stock(kind, clients):
    print("stock PHP:")
    with kind(None) as server:
        first_visit(server)
        waiting = clients.submit(visit, server)
        done, _ = concurrent.futures.wait((waiting,), WATCH)
        holders = [f"{servers.name(pid)}[{pid}]" for pid in server.holders(server.counter)]
        say(
            "visitor 2",
            "answered" if done else f"no answer in {WATCH:.0f} s: {' '.join(holders)}, the report, has the lock",
        )
        server.end_daemons()
        waiting.result()
        return not done and bool(holders)


def tell_replaced(kind, module, clients):
    print("the same with safehold.replace=all:")
    with kind(module, lock_timeout=6 * PATIENCE, session_lock_timeout=1) as server:
        cookie = first_visit(server)
        began = time.monotonic()
        statuses = [request.result()[0] for request in [clients.submit(visit, server, "?report=1") for _ in range(10)]]
        took = time.monotonic() - began
        say("10 more", f"{statuses.count(200)} answered after {took:.1f} s; {len(server.daemons())} reports run")
        slow = clients.submit(visit, server, "?work=3", cookie)
        eventually(lambda: server.counter.read_text() == "12")
        began = time.monotonic()
        status = visit(server, "", cookie)[0]
        say(
            "visitor 1",
            f"again, while a slow page has the session: {status} after {time.monotonic() - began:.1f} s. The log says:",
        )
        reason = re.search(r"session_start\(\): (.*?) in /", server.log())
        print("    " + (reason.group(1) if reason else server.log()))
        holder = slow.result()[3]
        return statuses == [200] * 10 and status == 503 and reason and f"[{holder}]" in reason.group(1)


def main():
    module = pathlib.Path(sys.argv[1]).resolve()
    os.environ["SAFEHOLD_CGI_SERVER"] = str(pathlib.Path(sys.argv[2]).resolve())
    kind = next((one for one in (servers.NginxFpm, servers.CgiServer) if not one.missing()), None)
    if kind is None:
        print(f"the story in PHP is left out: {servers.CgiServer.missing()}")
        return 0
    servers.adopt_orphans()
    print(f"A page of PHP ({kind.worker}) locks a file, and starts a report in the background that outlives it.")
    with concurrent.futures.ThreadPoolExecutor(16) as clients:
        return 0 if tell_stock(kind, clients) and tell_replaced(kind, module, clients) else 1


if __name__ == "__main__":
    sys.exit(main())
