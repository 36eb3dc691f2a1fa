--TEST--
exec, system, passthru, shell_exec, backticks: a locked file does not reach the command, and a daemon does not keep the lock
--EXTENSIONS--
safehold
--INI--
safehold.replace=exec,system,passthru,shell_exec
--SKIPIF--
<?php
if (!is_dir('/proc/self/fd')) die('skip needs /proc');
exec('command -v setsid', $found, $code);
if ($code !== 0) die('skip needs setsid');
?>
--FILE--
<?php
$path = __DIR__ . '/exec_nothing_inherited.lock';
$held = fopen($path, 'c');
flock($held, LOCK_EX);
$see = 'ls -l /proc/self/fd | grep -c exec_nothing_inherited';
var_dump(exec($see), trim(shell_exec($see)), trim(`$see`));
system($see);
passthru($see);
var_dump(exec('for n in 0 1 2 3 4 5 6 7 8 9 10 11 12; do { true >&$n; } 2>/dev/null && printf "$n "; done'));

/* The daemon's own streams must not be the pipe, or the command has not ended. */
$pid = (int)exec('setsid sleep 60 </dev/null >/dev/null 2>&1 & echo $!');
fclose($held);
$again = fopen($path, 'c');
var_dump(flock($again, LOCK_EX | LOCK_NB));
var_dump(file_exists("/proc/$pid"));
exec("kill -9 $pid");
?>
--CLEAN--
<?php @unlink(__DIR__ . '/exec_nothing_inherited.lock'); ?>
--EXPECT--
string(1) "0"
string(1) "0"
string(1) "0"
0
0
string(5) "0 1 2"
bool(true)
bool(true)
