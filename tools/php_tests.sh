#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/php_tests.sh [--so FILE] [AREA...]: runs PHP's own tests of what the extension replaces, with the stock
# functions and with safehold.replace=all, and compares. They are fetched with PHP's source package, and none of them
# is in this repository. Areas: flock proc_open popen exec session (the default), and included: tests of the command
# line and the standard functions that call such a function only through a file that they include. All output of PHP's
# run-tests.php is in build/php-tests/. Exit status 0: no test passes without replacement that does not pass with it,
# but for those in test/php/own_tests/differences.txt.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"
. "$root/tools/php_source.sh"

so=
if [ "${1:-}" = --so ]; then
  so=$2
  shift 2
fi
[ $# -gt 0 ] || set -- flock proc_open popen exec session
areas=$(echo "$*" | tr ' ' ,)

need_packages php-cli php-cgi php-fpm
need_php_source
if [ -z "$so" ]; then
  sh "$root/tools/build.sh" php
  so=$root/build/php/safehold.so
fi

release() { "$1" -n -v | sed -n '1s/^PHP \([^ ]*\).*/\1/p'; }
php=$(readlink -f "$(command -v php)")
short=$(release "$php" | cut -d. -f1,2)
cgi=$(command -v "php-cgi$short" || command -v php-cgi) || die "there is no php-cgi"
fpm=$(command -v "php-fpm$short" "/usr/sbin/php-fpm$short" | head -n 1)
if [ "$(release "$cgi")" != "$(release "$php")" ]; then die "php-cgi is not the PHP that php is"; fi

work=$root/build/php-tests/$areas
mkdir -p "$work"
echo "PHP $(release "$php"), tests of $(cat "$root/build/php-src/VERSION"): $areas"
# Four at a time: they mostly sleep.
exec "$php" "$root/test/php/own_tests/compare.php" "--source=$root/build/php-src" "--so=$so" "--work=$work" \
  "--areas=$areas" "--jobs=4" "--php=$php" "--cgi=$cgi" "--fpm=$fpm"
