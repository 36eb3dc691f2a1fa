--TEST--
popen: the child has its three streams, neither a locked file nor the pipe of another popen
--EXTENSIONS--
safehold
--INI--
safehold.replace=popen
--SKIPIF--
<?php if (!is_dir('/proc/self/fd')) die('skip needs /proc'); ?>
--FILE--
<?php
$path = __DIR__ . '/popen_nothing_inherited.lock';
$held = fopen($path, 'c');
flock($held, LOCK_EX);
$first = popen('cat', 'w');
$second = popen('for n in 0 1 2 3 4 5 6 7 8 9; do { true >&$n; } 2>/dev/null && printf "$n "; done', 'r');
var_dump(stream_get_contents($second));
/* It ends while the second is still open, which so does not have the first one's pipe. */
fwrite($first, "first\n");
var_dump(pclose($first), pclose($second));
$daemon = popen('setsid sleep 60 </dev/null >/dev/null 2>&1 & echo $!', 'r');
$pid = (int)fgets($daemon);
var_dump(pclose($daemon));
fclose($held);
$again = fopen($path, 'c');
var_dump(flock($again, LOCK_EX | LOCK_NB), file_exists("/proc/$pid"));
pclose(popen("kill -9 $pid", 'r'));
?>
--CLEAN--
<?php @unlink(__DIR__ . '/popen_nothing_inherited.lock'); ?>
--EXPECT--
string(6) "0 1 2 "
first
int(0)
int(2)
int(0)
bool(true)
bool(true)
