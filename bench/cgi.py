# SPDX-License-Identifier: MIT
"""cgi.py [--quick] [--only=START OF A ROW'S NAME] SERVER HELLO NAP PEERS: the CGI server against others.

Prints the lines that report.py reads; the peers' values go to the file PEERS. The servers take turns within one run."""
import contextlib
import os
import re
import resource
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source folder is not written to
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
import cgi_overload  # noqa: E402
import cgi_servers  # noqa: E402

CLIENTS = 16


class Measured:
    def __init__(self, text, server):
        found = re.search(r"^measured (.*)", text, re.MULTILINE)
        if found is None:
            raise RuntimeError(f"wrk said: {text}")
        values = {key: int(value) for key, value in (item.split("=") for item in found.group(1).split())}
        answered = values["requests"] - values["refused"]
        if answered <= 0 or values["broken"] > server.closes * values["requests"]:
            raise RuntimeError(f"{server.name} did not answer: {found.group(1)}")
        if values["refused"]:
            print(f"cgi.py: {server.name} refused {values['refused']} of {values['requests']}", file=sys.stderr)
        self.cost = values["us"] / answered
        self.p99 = values["p99"]


def wrk(server, seconds):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wrk.lua")
    done = subprocess.run(["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}", "-s", script, server.url("/cgi-bin/hello")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + 30, check=True)
    return Measured(done.stdout, server)


def median(values):
    return statistics.median(values)


def line(name, unit, ours, raw, p99, **extra):
    print(name, unit, *(f"{value:.4g}" for value in (ours, raw, p99)),
          *(f"{key}={value:.5g}" for key, value in extra.items()), sep="\t", flush=True)


def there():
    everybody = [cgi_servers.Ours, *cgi_servers.PEERS]
    for missing in (server for server in everybody if not server.installed()):
        print(f"cgi.py: {missing.name} is left out, it is not there", file=sys.stderr)
    return [server for server in everybody if server.installed()]


def requests(site, peers_file, quick):
    """us for each request: ours, and as the raw value the best peer's."""
    rounds, seconds = (1, 1) if quick else (5, 4)
    servers, found = there(), {}
    for _ in range(rounds):
        for kind in servers:
            with kind(site) as server:
                wrk(server, 1)
                found.setdefault(kind, []).append(wrk(server, seconds))
    costs = {kind: median([m.cost for m in measured]) for kind, measured in found.items()}
    for kind, cost in costs.items():
        print(f"cgi.py: {kind.name}: {1e6 / cost:.0f} requests/s", file=sys.stderr)
    ours = costs.pop(cgi_servers.Ours, None)
    with open(peers_file, "a") as out:
        for kind, cost in costs.items():
            print("cgi.request", kind.name, f"{cost:.4g}", sep="\t", file=out)
    if ours is not None and costs:
        best = min(costs.values())
        line("cgi.request", "us", ours, best, median([m.p99 for m in found[cgi_servers.Ours]]), per_second=1e6 / ours,
             best_peer_per_second=1e6 / best, times_best_peer=best / ours)


IDLE = 10000


@contextlib.contextmanager
def idle_connections(server):
    sockets = []
    try:
        for _ in range(IDLE):
            sockets.append(socket.create_connection(("127.0.0.1", server.port), 10))
        yield
        poll = select.poll()
        for one in sockets:
            poll.register(one, select.POLLIN)
        closed = len(poll.poll(0))
        if closed:
            raise RuntimeError(f"the server closed {closed} connections while it was measured")
    finally:
        for one in sockets:
            one.close()


def with_idle_connections(site, _, quick):
    """us for each request to a server that holds 10,000 idle connections; raw is the same server without them."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < IDLE + 1000:
        print(f"cgi.py: cgi.request.idle{IDLE} is left out, only {hard} descriptors may be open", file=sys.stderr)
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    full, idle = [], []
    for _ in range(1 if quick else 5):
        with cgi_servers.Ours(site, files=IDLE + 1000) as server:
            wrk(server, 1)
            idle.append(wrk(server, 1 if quick else 4))
            with idle_connections(server):
                full.append(wrk(server, 1 if quick else 4))
    line(f"cgi.request.idle{IDLE}", "us", median([m.cost for m in full]), median([m.cost for m in idle]),
         median([m.p99 for m in full]))


JOBS, QUEUE, NAP_MS = 4, 16, 20


def overload(site, _, quick):
    """ms until the answer of those who are not refused, with four times more clients than slots; the raw value is what
    the queue allows: as long as it takes to empty it, and the script's own time."""
    with cgi_servers.Ours(site, options=("--jobs", str(JOBS), "--queue", str(QUEUE))) as server:
        answered, refused = cgi_overload.load(server.port, "/cgi-bin/nap", 4 * (JOBS + QUEUE), 2 if quick else 15)
    if not answered or not refused:
        raise RuntimeError(f"{len(answered)} requests were answered, {refused} refused")
    answered.sort()
    p99 = answered[int((len(answered) - 1) * 0.99)] * 1000
    line("cgi.overload", "ms", median(answered) * 1000, NAP_MS * (JOBS + QUEUE) / JOBS, p99, answered=len(answered),
         refused=refused)


ROWS = (("cgi.request", requests), (f"cgi.request.idle{IDLE}", with_idle_connections), ("cgi.overload", overload))


def make_site(folder, hello, nap):
    site = os.path.join(folder, "site")
    os.makedirs(os.path.join(site, "cgi-bin"))
    os.makedirs(os.path.join(site, "htdocs"))
    for name, program in (("hello", hello), ("nap", nap)):
        shutil.copy(program, os.path.join(site, "cgi-bin", name))
    os.chmod(folder, 0o755)
    return site


def main():
    options = [argument for argument in sys.argv[1:] if argument.startswith("--")]
    cgi_servers.Ours.program, hello, nap, peers_file = sys.argv[1 + len(options):]
    only = "".join(option[len("--only="):] for option in options if option.startswith("--only="))
    with tempfile.TemporaryDirectory(prefix="safehold-cgi-") as folder:
        site = make_site(folder, hello, nap)
        for name, row in ROWS:
            if (name.startswith(only) or only.startswith(name + ".")) and (row is requests or cgi_servers.Ours.installed()):
                row(site, peers_file, "--quick" in options)


main()
