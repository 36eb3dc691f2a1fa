#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/tidy.sh: clang-tidy, with the checks that .clang-tidy names, over what the native build compiles for the
# library and the command.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"
need_packages clang-tidy
[ -e "$root/build/native/compile_commands.json" ] || sh "$root/tools/build.sh" native

sed -nE 's|^ *"file": "(.*/(src\|cli)/.*\.c)",?$|\1|p' "$root/build/native/compile_commands.json" | sort -u |
  xargs -P 2 -n 4 clang-tidy -p "$root/build/native" --quiet
