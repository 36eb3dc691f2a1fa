#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/build.sh [TARGET...]: builds into build/TARGET/, after installing what that takes. Default: native.
# Targets are the presets of CMakePresets.json. Several are built one after the other; the time of each is printed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"

[ $# -gt 0 ] || set -- native

for target in "$@"; do
  started=$(date +%s)
  need_packages cmake ninja-build gcc libc6-dev pkg-config
  from_source=
  case $target in
    native | asan) need_packages libcjson-dev libcmocka-dev libuv1-dev "$(http_parser_package)" ;;
    tsan) need_packages libcjson-dev libcmocka-dev "$(http_parser_package)" && from_source=1 ;; # libuv, see cmake/dependencies.cmake
    clang) need_packages libcjson-dev libcmocka-dev libuv1-dev "$(http_parser_package)" clang ;;
    php | php-asan) need_packages php-dev php-cli php-cgi php-fpm make ;;
    mingw64) need_packages gcc-mingw-w64-x86-64-posix wine64 && from_source=1 ;;
    aarch64) need_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user && from_source=1 ;;
    s390x) need_packages gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user && from_source=1 ;;
    musl) need_packages musl-tools linux-libc-dev && from_source=1 ;;
    macos-arm64 | freebsd-x86_64) need_zig && from_source=1 ;;
    *) die "no target called $target; they are: $(sed -n '/configurePresets/,/buildPresets/s/.*"name": "\([^"]*\)".*/\1/p' \
      "$root/CMakePresets.json" | grep -v base | tr '\n' ' ')" ;;
  esac
  set -- # cmake's further arguments
  if [ -n "$from_source" ]; then
    need_dependency_sources
    set -- "-DFETCHCONTENT_SOURCE_DIR_LIBUV=$root/build/deps/src/libuv" \
      "-DFETCHCONTENT_SOURCE_DIR_CMOCKA=$root/build/deps/src/cmocka" \
      "-DFETCHCONTENT_SOURCE_DIR_CJSON=$root/build/deps/src/cjson"
  fi
  ready=$(date +%s)
  log=$root/build/$target.log
  mkdir -p "$root/build"
  if ! { cd "$root" && cmake --preset "$target" "$@" && cmake --build --preset "$target" -j 2; } >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    die "building $target failed; all of its output is in build/$target.log"
  fi
  ended=$(date +%s)
  echo "built: build/$target ($((ended - ready)) s, and $((ready - started)) s for installing)"
done
