#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/php_phpt.sh [--name NAME] [--valgrind | --sanitized] SAFEHOLD_SO AREA...: runs bindings/php/tests/AREA_*.phpt
# by PHP's own run-tests.php, from a copy in a temporary folder. It passes when every file of them was run or skipped, at
# least one was run, none failed, and no process that they started is left. PHP_CONFIG chooses the PHP.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"

name=php
variant=
while :; do
  case ${1:-} in
    --name) name=$2 && shift 2 ;;
    --valgrind | --sanitized) variant=$1 && shift ;;
    *) break ;;
  esac
done
[ $# -ge 2 ] || die "usage: php_phpt.sh [--name NAME] [--valgrind | --sanitized] SAFEHOLD_SO AREA..."
module=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift

config=${PHP_CONFIG:-php-config}
php=$("$config" --php-binary)
[ -x "$php" ] || die "there is no PHP at $php"
run_tests=$("$config" --extension-dir)/build/run-tests.php
[ -f "$run_tests" ] || run_tests=$("$config" --prefix)/lib/php/build/run-tests.php
cgi=$(dirname "$php")/$(basename "$php" | sed 's/^php/php-cgi/')
[ -x "$cgi" ] || cgi= # another PHP's would not load the module

folder=$(mktemp -d /tmp/safehold-XXXXXXXXXX)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/work" "$folder/reports"
cp -R "$root/bindings/php/tests" "$folder/tests"
cd "$folder/tests"
files=
for area in "$@"; do
  for file in "${area}"_*.phpt; do
    [ ! -f "$file" ] || files="$files $file"
  done
done
[ -n "$files" ] || die "there is no test of $*"

# What stands in for php and php-cgi. Reports are of the tests' own processes only: run-tests.php loads every module there
# is and drops it again, to see what there is. What a request allocates is freed at its end by PHP, as else a fatal error
# leaks whatever there was: only what is malloced can be found to leak. Other children (sh, cat) are run as they are.
stand_in() { # PROGRAM, and in $as_is and $watched how to run it
  cat >"$folder/bin/$(basename "$1")" <<end
#!/bin/sh
export USE_ZEND_ALLOC=0 USE_TRACKED_ALLOC=1 ZEND_DONT_UNLOAD_MODULES=1
case "\$*" in
  *"$folder/tests/"*) $watched $1 -d pcre.jit=0 "\$@" ;;
  *) $as_is $1 "\$@" ;;
esac
end
  chmod +x "$folder/bin/$(basename "$1")"
}
case $variant in
  --valgrind)
    watched="exec valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
--suppressions=$root/bindings/php/tests/valgrind.supp --log-file=$folder/reports/valgrind.%p --trace-children=no"
    as_is=exec
    ;;
  --sanitized) # preloaded by the loader, and in nobody's environment; PHP_BINARY is the stand-in
    loader=$(LC_ALL=C readelf -l "$php" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
    preload="$(dirname "$module")/no_deepbind.so $(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
    watched="exec $loader --preload '$preload' --argv0 \$0"
    as_is="export ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 && $watched"
    export ASAN_OPTIONS="verify_asan_link_order=0:log_path=$folder/reports/asan:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_abort=0"
    export UBSAN_OPTIONS="log_path=$folder/reports/ubsan:print_stacktrace=1"
    export LSAN_OPTIONS="suppressions=$root/bindings/php/tests/lsan.supp:print_suppressions=0"
    ;;
esac
program=$php
if [ -n "$variant" ]; then
  mkdir "$folder/bin"
  stand_in "$php"
  program=$folder/bin/$(basename "$php")
  [ -z "$cgi" ] || stand_in "$cgi"
  cgi=${cgi:+$folder/bin/$(basename "$cgi")}
fi

status=0
# Who is left behind is known by this variable in its environment.
# shellcheck disable=SC2086 # a list of names
SAFEHOLD_TEST_DIR=$folder/work TMPDIR=$folder/work NO_INTERACTION=1 TEST_PHP_CGI_EXECUTABLE=$cgi \
  TEST_TIMEOUT=$((60 * ${SAFEHOLD_TEST_SLOWNESS:-1})) SAFEHOLD_TEST_MODULE=$module \
  "$php" -n "$run_tests" -n -q --no-color --no-progress -p "$program" -d "extension=$module" ${variant:+--asan} --show-diff \
  -W "$folder/results" $files </dev/null >"$folder/output" 2>&1 || status=$?

awk '/^Running selected tests|^TEST RESULT|^=+$/ { next } { print }' "$folder/output"
faults=
fault() { faults="$faults${faults:+; }$1"; }
count() { grep -c "^$1" "$folder/results" || true; }
# shellcheck disable=SC2086
wanted=$(set -- $files && echo $#)
passed=$(($(count PASSED) + $(count WARNED))) # the latter: not at first, and run-tests.php says so
skipped=$(count SKIPPED)
[ "$status" -eq 0 ] || fault "run-tests.php ended with $status"
[ "$(count .)" -eq "$wanted" ] || fault "of $wanted files $(count .) have a result"
[ "$((passed + skipped))" -eq "$wanted" ] || fault "$((wanted - passed - skipped)) of $wanted failed"
[ "$passed" -gt 0 ] || fault "none was run"

tries=0
while survivors=$(grep -lsazx "SAFEHOLD_TEST_DIR=$folder/work" /proc/[0-9]*/environ) && [ "$tries" -lt 20 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
for survivor in $survivors; do
  pid=$(basename "$(dirname "$survivor")")
  fault "it left a process behind: $(cat "/proc/$pid/comm" 2>/dev/null) ($pid), now killed"
  kill -9 "$pid" 2>/dev/null || true
done

for report in "$folder"/reports/*; do
  # Lines with dashes are valgrind's own complaints: that it does not know a system call, which then fails.
  if [ -s "$report" ] && grep -qv '^--[0-9]*-- ' "$report"; then
    cat "$report"
    fault "there is a report of $(basename "$report")"
  fi
done
[ -z "$faults" ] || die "$name failed: $faults"
echo "run_test: $name: $passed passed, $skipped skipped"
