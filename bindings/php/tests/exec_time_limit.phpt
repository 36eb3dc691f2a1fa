--TEST--
exec, Safehold\Process: max_execution_time leaves the time of commands out, as PHP does where it counts CPU time
--EXTENSIONS--
safehold
--INI--
safehold.replace=exec,system,passthru,shell_exec
max_execution_time=1
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip PHP counts the time of commands on some systems'); ?>
--FILE--
<?php
var_dump(exec('sleep 1.3; echo went on'));
var_dump(shell_exec('exec >&-; sleep 0.5'));
var_dump((string)(new Safehold\Process(['sleep', '1.3']))->wait());
var_dump(Safehold\Process::run('sleep 1.3; echo ran')->stdout);
for (;;);
?>
--EXPECTF--
string(7) "went on"
NULL
string(11) "exit code 0"
string(4) "ran
"

Fatal error: Maximum execution time of 1 second exceeded in %s on line %d
