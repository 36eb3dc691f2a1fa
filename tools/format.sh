#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/format.sh [--check]: lays out the C sources as .clang-format says; --check only says what it would change.
# Versions of clang-format disagree with each other, so that only one counts: 14. Without it --check ends with 77.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

if ! command -v clang-format-14 >/dev/null 2>&1; then
  echo "format.sh: skipped, there is no clang-format-14 here and other versions lay out differently"
  exit 77
fi
files=$(git ls-files '*.c' '*.h' '*.cc')
if [ "${1:-}" = --check ]; then
  # shellcheck disable=SC2086 # a list of names
  clang-format-14 --dry-run -Werror $files
else
  # shellcheck disable=SC2086
  clang-format-14 -i $files
fi
