--TEST--
proc_open: a script that ends in the middle of it leaves no descriptor
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open
--SKIPIF--
<?php if (!is_dir('/proc/self/fd')) die('skip needs /proc'); ?>
--FILE--
<?php
$before = count(scandir('/proc/self/fd'));
register_shutdown_function(function () use ($before) {
  echo "\n";
  var_dump(count(scandir('/proc/self/fd')) <= $before);
});
set_error_handler(function () {
  ini_set('memory_limit', '4M');
  str_repeat('x', 1 << 24);
});
proc_open('true', [['pipe', 'r'], ['pipe', 'w'], 5 => ['socket'], 6 => ['pty'], 7 => ['no such kind']], $pipes);
echo "not reached\n";
?>
--EXPECTF--
Fatal error: Allowed memory size of %d bytes exhausted (tried to allocate %d bytes) in %s on line %d

bool(true)
