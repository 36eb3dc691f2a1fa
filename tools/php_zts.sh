#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/php_zts.sh: PHP with threads, which Debian has no package of, from the distribution's own source: builds it in
# build/php-zts (once), the extension for it in build/php-zts-ext, and runs the tests with it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"
. "$root/tools/php_source.sh"

need_packages gcc libc6-dev make autoconf pkg-config cmake ninja-build php-cli php-dev
need_php_source
prefix=$root/build/php-zts
stamp=$prefix/BUILT-$(cat "$root/build/php-src/VERSION")

if [ ! -f "$stamp" ]; then
  objects=$root/build/php-zts-objects
  rm -rf "$objects" "$prefix" "$root/build/php-zts-ext"
  mkdir -p "$objects"
  # The sources stay as they are: others use them too.
  if ! (
    cd "$objects"
    "$root/build/php-src/configure" --prefix="$prefix" --disable-all --enable-zts --enable-cli --disable-cgi \
      --disable-phpdbg --enable-session --enable-pcntl --enable-posix --enable-embed --without-pear CFLAGS='-O1 -g'
    make -j2
    make install
  ) >"$root/build/php-zts.log" 2>&1; then
    tail -n 30 "$root/build/php-zts.log" >&2
    die "building PHP with threads failed; all of its output is in build/php-zts.log"
  fi
  rm -rf "$objects"
  : >"$stamp"
fi

(
  cd "$root"
  cmake --preset php -B build/php-zts-ext "-DSAFEHOLD_PHP_CONFIG=$prefix/bin/php-config" -DSAFEHOLD_TEST_PREFIX=php-zts \
    -DSAFEHOLD_TEST_VALGRIND=OFF && cmake --build build/php-zts-ext -j2
) >"$root/build/php-zts-ext.log" 2>&1 || {
  tail -n 30 "$root/build/php-zts-ext.log" >&2
  die "building the extension for PHP with threads failed; all of its output is in build/php-zts-ext.log"
}
ctest --test-dir "$root/build/php-zts-ext" -j2 --output-on-failure --no-tests=error

# A threaded host.
host=$root/build/php-zts-ext/threads
# shellcheck disable=SC2046 # options
cc -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -D_GNU_SOURCE -O1 -g "$root/test/php/threads/threads.c" \
  $("$prefix/bin/php-config" --includes) -L"$prefix/lib" -Wl,-rpath,"$prefix/lib" -lphp -lpthread -o "$host"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
serve() { # REPLACED THREADS REQUESTS [BEFORE THE COMMAND...]
  printf 'extension=%s\nsafehold.replace=%s\n' "$root/build/php-zts-ext/safehold.so" "$1" >"$folder/php.ini"
  threads=$2 requests=$3
  shift 3
  rm -f "$folder/count"
  timeout 300 "$@" "$host" "$threads" "$requests" "$folder/php.ini" "$folder"
}
serve none 8 50
serve all 8 50
# What one thread frees while another reads it. Undefined values are not asked about: PHP compares strings by whole words.
if command -v valgrind >/dev/null; then
  serve all 6 10 env USE_ZEND_ALLOC=0 valgrind --quiet --undef-value-errors=no --fair-sched=yes --error-exitcode=3
fi
