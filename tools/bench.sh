#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/bench.sh [--quick] [--only=START OF A ROW'S NAME] [--json FILE]: measures locks, spawns and pipes against the
# raw system calls, in turns within one run, and against peers in programs of their own, in three turns with ours; and
# prints a table. Trust the ratios, on an idle machine. The cgi rows install web servers of Debian's, and start them on
# loopback ports with configurations of their own.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"

quick= json= only= turns=3
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=--quick turns=1 ;;
  --only=*) only=${1#--only=} ;;
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

# wanted NAME: whether --only asks for a row that may begin with the name.
wanted() {
  case $1 in "$only"*) return 0 ;; esac
  case $only in "$1"*) return 0 ;; esac
  return 1
}

need_packages python3 gcc libc6-dev pkg-config libuv1-dev libapr1-dev libglib2.0-dev ruby php-cli
if wanted cgi; then need_packages wrk lighttpd apache2-bin nginx fcgiwrap busybox; fi
sh "$root/tools/build.sh" native
build=$root/build/native
child=$build/bench/safehold_bench_child
cmake --build "$build" --target safehold_bench safehold_bench_uv safehold_bench_child safehold_bench_cgi_hello \
  safehold_bench_cgi_nap
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ulimit -n "$(ulimit -H -n)"

# Library peers: NAME:PACKAGE OF PKG-CONFIG.
libraries=
for library in posix_spawn: libuv:libuv apr:apr-1 glib:gio-2.0; do
  name=${library%%:*} package=${library#*:} flags=
  if [ -n "$package" ] && ! flags=$(pkg-config --cflags --libs "$package" 2>/dev/null); then
    say "bench.sh: $name is left out, it is not installed"
    continue
  fi
  # shellcheck disable=SC2086 # a list of flags
  cc -std=gnu11 -O2 -o "$name" "$root/bench/peers/$name.c" "$root/bench/peers/peer.c" "$root/bench/samples.c" $flags
  libraries="$libraries $name"
done
for program in python3 ruby php node; do
  command -v "$program" >/dev/null 2>&1 || say "bench.sh: $program is left out, it is not installed"
done
say "bench.sh: reproc is left out, neither Debian nor a language's registry has it"

# peer PROGRAM FILE ARGUMENT...
peer() {
  command -v "$1" >/dev/null 2>&1 || return 0
  program=$1 file=$2
  shift 2
  "$program" "$root/bench/peers/$file" "$@" >>peers || say "bench.sh: $file failed"
}

: >peers
"$build/bench/safehold_bench" $quick ${only:+"--only=$only"} "$child" >lines
turn=0
while [ "$turn" -lt "$turns" ]; do
  turn=$((turn + 1))
  if wanted lock; then
    peer python3 flock.py
    peer php flock.php
    peer ruby flock.rb
  fi
  wanted spawn || wanted communicate || continue
  for library in $libraries; do "./$library" "$child" "$only" >>peers || say "bench.sh: $library failed"; done
  peer python3 spawn.py "$child" "$only"
  peer ruby spawn.rb "$child" "$only"
  peer php spawn.php "$child" "$only"
  peer node spawn.js "$child" "$only"
  if [ "$turns" -gt 1 ]; then
    for rows in spawn communicate; do
      wanted "$rows" || continue
      case $only in "$rows"*) start=$only ;; *) start=$rows ;; esac
      "$build/bench/safehold_bench" --quick "--only=$start" "$child" >>lines
    done
  fi
done
if wanted uv; then "$build/bench/safehold_bench_uv" $quick ${only:+"--only=$only"} "$child" >>lines; fi
if wanted cgi; then
  python3 "$root/bench/cgi.py" $quick "--only=$only" "$build/examples/cgi_server" "$build/bench/safehold_bench_cgi_hello" \
    "$build/bench/safehold_bench_cgi_nap" peers >>lines
fi
if wanted php; then
  sh "$root/tools/build.sh" php
  python3 "$root/bench/php.py" $quick "--only=$only" "$root/build/php/safehold.so" "$child" >>lines
fi
python3 "$root/bench/report.py" peers $json <lines
