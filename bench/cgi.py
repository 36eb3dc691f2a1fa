# SPDX-License-Identifier: MIT
"""cgi.py [--quick] [--only=START OF A ROW'S NAME] SERVER HELLO NAP PEERS: the CGI server against others.

Prints the lines that report.py reads; the peers' values go to the file PEERS. The servers take turns within one run."""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
import cgi_servers  # noqa: E402

CLIENTS = 16


class Measured:
    def __init__(self, text, closes):
        found = re.search(r"^measured (.*)", text, re.MULTILINE)
        if found is None:
            raise RuntimeError(f"wrk said: {text}")
        values = {key: int(value) for key, value in (item.split("=") for item in found.group(1).split())}
        if values["broken"] > closes * values["requests"] or values["refused"] or not values["requests"]:
            raise RuntimeError(f"not every request was answered: {found.group(1)}")
        self.cost = values["us"] / values["requests"]
        self.p99 = values["p99"]


def wrk(server, seconds):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wrk.lua")
    done = subprocess.run(["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}", "-s", script, server.url("/cgi-bin/hello")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + 30, check=True)
    return Measured(done.stdout, server.closes)


def median(values):
    return statistics.median(values)


def line(name, unit, ours, raw, p99, **extra):
    print(name, unit, *(f"{value:.4g}" for value in (ours, raw, p99)),
          *(f"{key}={value:.5g}" for key, value in extra.items()), sep="\t", flush=True)


def requests(site, peers_file, quick):
    """us for each request: ours, and as the raw value the best peer's."""
    servers = [s for s in [cgi_servers.Ours, *cgi_servers.PEERS] if s.installed()]
    for missing in set([cgi_servers.Ours, *cgi_servers.PEERS]) - set(servers):
        print(f"cgi.py: {missing.name} is left out, it is not there", file=sys.stderr)
    rounds, seconds = (1, 1) if quick else (5, 4)
    found = {}
    for _ in range(rounds):
        for kind in servers:
            with kind(site) as server:
                wrk(server, 1)
                found.setdefault(kind.name, []).append(wrk(server, seconds))
    costs = {name: median([m.cost for m in measured]) for name, measured in found.items()}
    ours = costs.pop(cgi_servers.Ours.name, None)
    with open(peers_file, "a") as out:
        for name, cost in costs.items():
            print("cgi.request", name, f"{cost:.4g}", sep="\t", file=out)
            print(f"cgi.py: {name}: {1e6 / cost:.0f} requests/s", file=sys.stderr)
    if ours is not None and costs:
        best = min(costs.values())
        line("cgi.request", "us", ours, best, median([m.p99 for m in found[cgi_servers.Ours.name]]),
             per_second=1e6 / ours, best_peer_per_second=1e6 / best, times_best_peer=best / ours)


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
        for name, row in (("cgi.request", requests),):
            if name.startswith(only):
                row(site, peers_file, "--quick" in options)


main()
