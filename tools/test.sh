#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/test.sh: builds for every target that can be had on one Linux machine, runs the tests of all of them in one
# CTest run, and ends with its summary. SAFEHOLD_LONG=1 adds the long tests, the thread sanitizer, and PHP under
# the other two.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"

targets="native clang asan mingw64 aarch64 s390x musl macos-arm64 freebsd-x86_64 php"
tested="native asan mingw64 aarch64 s390x musl macos-arm64 freebsd-x86_64 php" # clang: its warnings are the test
without='^long$'
if [ "${SAFEHOLD_LONG:-}" = 1 ]; then
  targets="$targets tsan php-asan"
  tested="$tested tsan php-asan"
  without='^$'
fi

phase_started=$(date +%s)
phase() { # prints how long what has just ended took
  now=$(date +%s)
  echo "phase: $1: $((now - phase_started)) s"
  phase_started=$now
}

need_packages git cmake ninja-build gcc g++ libc6-dev pkg-config libcjson-dev libcmocka-dev libuv1-dev \
  "$(http_parser_package)" clang valgrind procps \
  strace rrdtool fonts-dejavu-core util-linux php-dev php-cli php-cgi php-fpm nginx make ruby curl wrk \
  gcc-mingw-w64-x86-64-posix wine64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-s390x-linux-gnu \
  libc6-dev-s390x-cross qemu-user musl-tools linux-libc-dev python3 python3-venv ca-certificates dpkg-dev xz-utils
if [ "${SAFEHOLD_LONG:-}" = 1 ]; then
  need_packages chromium # looks at a page of the CGI server
fi
if ! installed clang-format-14 && apt-cache show clang-format-14 >/dev/null 2>&1; then
  need_packages clang-format-14
fi
need_zig
need_dependency_sources
phase install

for target in $targets; do
  sh "$root/tools/build.sh" "$target"
  phase "build $target"
done

# One CTest run over all of them: a folder whose subfolders are the builds.
all=$root/build/all
mkdir -p "$all"
: >"$all/CTestTestfile.cmake"
for target in $tested; do
  echo "subdirs(\"$root/build/$target\")" >>"$all/CTestTestfile.cmake"
done
for label in $tested valgrind lint; do
  if ctest --test-dir "$all" -N -L "^$label\$" | grep -q '^Total Tests: 0$'; then
    die "there are no tests with the label $label"
  fi
done
if ctest --test-dir "$root/build/mingw64" -N | grep -q '^Total Tests: [1-9]'; then
  # Here and not in the first test, whose time limit it would use up.
  timeout 240 sh "$root/tools/wine.sh" "$root/build/mingw64/safehold.exe" --version </dev/null >/dev/null 2>&1 || true
  phase 'make the Wine prefix'
fi

# CTest prints its verdict before its tables. The lines from the verdict on are held back and the verdict is put last,
# after what the tests themselves skipped.
status=$all/status
log=$all/Testing/Temporary/LastTest.log
rm -f "$status" "$log"
{
  set +e
  ctest --test-dir "$all" -j 2 --output-on-failure --no-tests=error -LE "$without" 2>&1
  echo $? >"$status"
} | awk -v log_file="$log" '
  /^[0-9]+% tests passed/ { verdict = $0; next }
  verdict == "" { print; fflush(); next }
  { held = held $0 "\n" }
  END {
    while ((getline line < log_file) > 0) {
      if (line ~ /^run_test: .* [1-9][0-9]* skipped$/) print "skipped in " substr(line, 11)
      if (line ~ /^run_test: every test skipped/) print "skipped entirely: " substr(line, 31)
    }
    printf "%s", held
    print verdict
  }'
exit "$(cat "$status")"
