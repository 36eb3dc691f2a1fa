--TEST--
exec, system: lines longer than any buffer, whole, with and without a line break
--EXTENSIONS--
safehold
--INI--
safehold.replace=exec,system,shell_exec
memory_limit=64M
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs a POSIX shell'); ?>
--FILE--
<?php
function command(string $then, int ...$lengths): string {
  return implode('; ', array_map(fn($n) => "head -c $n /dev/zero | tr '\\0' x$then", $lengths));
}
foreach ([4094, 4095, 4096, 8190, 8191, 8192, 8193, 65536, 1 << 20] as $length) {
  foreach (['', '; echo'] as $then) {
    $lines = [];
    $last = exec(command($then, $length), $lines);
    if ($last !== str_repeat('x', $length) || $lines !== [$last]) echo "exec: wrong at $length$then\n";
    ob_start();
    $last = system(command($then, $length));
    $printed = ob_get_clean();
    if ($last !== str_repeat('x', $length) || $printed !== $last . ($then ? "\n" : '')) echo "system: wrong at $length$then\n";
  }
}
/* PHP 8.2 loses the first 4095 bytes of the second line. */
exec(command('; echo', 10000) . '; ' . command('', 8190), $both);
var_dump(array_map('strlen', $both));
exec('seq 100000', $many);
var_dump(count($many), $many === array_map('strval', range(1, 100000)));
var_dump(strlen(shell_exec('head -c 3000000 /dev/zero')));
?>
--EXPECT--
array(2) {
  [0]=>
  int(10000)
  [1]=>
  int(8190)
}
int(100000)
bool(true)
int(3000000)
