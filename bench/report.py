# SPDX-License-Identifier: MIT
"""report.py [PEERS [JSON]]: turns the benchmarks' lines into a table on stdout and, with a file name, into JSON.

A row that comes several times, and a peer's value, is the median of them."""
import json
import statistics
import sys


def read(line):
    name, unit, ours, raw, p99, *extra = line.rstrip("\n").split("\t")
    values = {"ours": float(ours), "raw": float(raw), "p99": float(p99)}
    values.update((key, float(value)) for key, value in (item.split("=") for item in extra))
    return name, unit, values


def row(name, unit, all_values):
    result = {"name": name, "unit": unit}
    result.update((key, statistics.median(v[key] for v in all_values if key in v)) for key in all_values[0])
    result["ratio"] = round(statistics.median(v["ours"] / v["raw"] for v in all_values), 3)
    result["peers"] = {}
    return result


def read_rows(lines):
    found = {}
    for line in lines:
        name, unit, values = read(line)
        found.setdefault((name, unit), []).append(values)
    return [row(name, unit, values) for (name, unit), values in found.items()]


def add_peers(rows, path):
    by_name = {r["name"]: r for r in rows}
    values = {}
    with open(path) as lines:
        for line in lines:
            name, peer, value = line.rstrip("\n").split("\t")
            values.setdefault((name, peer), []).append(float(value))
    for (name, peer), several in values.items():
        if name in by_name:
            by_name[name]["peers"][peer] = statistics.median(several)


def main():
    rows = read_rows(sys.stdin)
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
