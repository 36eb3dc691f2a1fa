# SPDX-License-Identifier: MIT
"""report.py [PEERS [JSON]]: turns the benchmarks' lines into a table on stdout and, with a file name, into JSON."""
import json
import sys


def row(line):
    name, unit, ours, raw, p99, *extra = line.rstrip("\n").split("\t")
    ours, raw = float(ours), float(raw)
    result = {"name": name, "unit": unit, "ours": ours, "raw": raw, "ratio": round(ours / raw, 3), "p99": float(p99),
              "peers": {}}
    result.update((key, float(value)) for key, value in (item.split("=") for item in extra))
    return result


def add_peers(rows, path):
    by_name = {r["name"]: r for r in rows}
    with open(path) as lines:
        for line in lines:
            name, peer, value = line.rstrip("\n").split("\t")
            if name in by_name:
                by_name[name]["peers"][peer] = float(value)


def main():
    rows = [row(line) for line in sys.stdin]
    if not rows:
        sys.exit("report.py: no benchmark has run")
    if len(sys.argv) > 1:
        add_peers(rows, sys.argv[1])
    print(f"{'name':24} {'unit':4} {'ours':>10} {'raw':>10} {'ratio':>7} {'p99':>10}")
    for r in rows:
        extra = " ".join(f"{k}={v:g}" for k, v in r.items()
                         if k not in ("name", "unit", "ours", "raw", "ratio", "p99", "peers"))
        print(f"{r['name']:24} {r['unit']:4} {r['ours']:10.4g} {r['raw']:10.4g} {r['ratio']:7.3f} {r['p99']:10.4g} {extra}")
        for peer, value in r["peers"].items():
            print(f"    {peer:32} {value:10.4g}")
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w") as out:
            json.dump({"benchmarks": rows}, out, indent=1)


main()
