--TEST--
proc_open: the child has the descriptors of the spec and no other, and a daemon does not keep a lock
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open
--SKIPIF--
<?php if (!is_dir('/proc/self/fd')) die('skip needs /proc'); ?>
--FILE--
<?php
$path = __DIR__ . '/proc_open_nothing_inherited.lock';
$held = fopen($path, 'c');
flock($held, LOCK_EX);
$socket = stream_socket_server('tcp://127.0.0.1:0');
$other = proc_open('cat', [['pipe', 'r'], ['null'], ['null']], $kept);

/* Through sh, directly, and with a number above the standard three. */
proc_close(proc_open('ls /proc/self/fd | tr "\\n" " "; echo', [], $pipes));
proc_close(proc_open(['ls', '-m', '/proc/self/fd'], [], $pipes));
proc_close(proc_open(['ls', '-m', '/proc/self/fd'], [9 => ['pipe', 'w'], 12 => ['file', '/dev/null', 'w']], $pipes));
proc_close(proc_open('ls -l /proc/self/fd | grep -c "nothing_inherited\|socket:"', [], $pipes));

/* What is named is given, the locked file too. */
proc_close(proc_open('ls -l /proc/self/fd/7 | grep -c nothing_inherited', [7 => $held], $pipes));

/* The daemon lives on, the lock does not. */
$starter = proc_open('setsid sleep 60 </dev/null >/dev/null 2>&1 & echo $!', [1 => ['pipe', 'w']], $pipes);
$pid = (int)fgets($pipes[1]);
var_dump(proc_close($starter));
fclose($held);
$again = fopen($path, 'c');
var_dump(flock($again, LOCK_EX | LOCK_NB));
var_dump(file_exists("/proc/$pid"));
proc_close(proc_open("kill -9 $pid", [], $pipes));
fclose($kept[0]);
var_dump(proc_close($other));
?>
--CLEAN--
<?php @unlink(__DIR__ . '/proc_open_nothing_inherited.lock'); ?>
--EXPECT--
0 1 2 3 
0, 1, 2, 3
0, 1, 12, 2, 3, 9
0
1
int(0)
bool(true)
bool(true)
int(0)
