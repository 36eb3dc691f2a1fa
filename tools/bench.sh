#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/bench.sh [--quick] [--only=START OF A ROW'S NAME] [--json FILE]: measures locks and spawns against the raw system calls, in turns within
# one run, and prints a table. Trust the ratios, on an idle machine.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"

quick= json= only=
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=--quick ;;
  --only=*) only=$1 ;;
  --json)
    [ $# -gt 1 ] || die "--json needs a file"
    json=$2
    shift
    ;;
  *) die "usage: sh tools/bench.sh [--quick] [--only=NAME] [--json FILE]" ;;
  esac
  shift
done
case $json in
'' | /*) ;;
*) json=$PWD/$json ;;
esac

need_packages python3
sh "$root/tools/build.sh" native
build=$root/build/native
cmake --build "$build" --target safehold_bench safehold_bench_child
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$build/bench/safehold_bench" $quick ${only:+"$only"} "$build/bench/safehold_bench_child" >lines
# The peers, in programs of their own: each where it is installed.
: >peers
for peer in 'python3 flock.py' 'php flock.php' 'ruby flock.rb'; do
  program=${peer%% *}
  if command -v "$program" >/dev/null 2>&1; then
    "$program" "$root/bench/peers/${peer#* }" >>peers || say "bench.sh: ${peer#* } failed"
  fi
done
python3 "$root/bench/report.py" peers $json <lines
