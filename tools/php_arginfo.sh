#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/php_arginfo.sh: writes bindings/php/*_arginfo.h anew from the *.stub.php beside them, by PHP's own
# gen_stub.php. That one looks beside itself for the very version of PHP-Parser that it was written for, and would
# fetch it: it is given Debian's. --check only says whether each was made from the stub as it is.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"

if [ "${1:-}" = --check ]; then
  for stub in "$root"/bindings/php/*.stub.php; do
    made=${stub%.stub.php}_arginfo.h
    grep -q "Stub hash: $(sha1sum <"$stub" | cut -d' ' -f1) " "$made" || die "$(basename "$made") is not made from its stub as it is now"
  done
  exit 0
fi
need_packages php-cli php-dev php-parser
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/build"
cp "$(php-config --extension-dir)/build/gen_stub.php" "$folder/build/"
version=$(sed -n 's/^ *\$version = "\([0-9.]*\)";.*/\1/p' "$folder/build/gen_stub.php" | head -n 1)
mkdir -p "$folder/build/PHP-Parser-$version/lib"
ln -s /usr/share/php/PhpParser "$folder/build/PHP-Parser-$version/lib/PhpParser"
cp "$root"/bindings/php/*.stub.php "$folder/"
if ! (cd "$folder" && php -n -d extension=tokenizer build/gen_stub.php --force-regeneration .) >"$folder/log" 2>&1; then
  cat "$folder/log" >&2
  die "gen_stub.php failed"
fi
for made in "$folder"/*_arginfo.h; do
  target=bindings/php/$(basename "$made")
  { printf '/* SPDX-License-Identifier: MIT */\n/* clang-format off */\n' && cat "$made" && echo; } >"$folder/new"
  if cmp -s "$folder/new" "$root/$target"; then
    echo "unchanged: $target"
  else
    cp "$folder/new" "$root/$target"
    echo "written: $target"
  fi
done
