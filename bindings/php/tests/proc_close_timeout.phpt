--TEST--
proc_close: safehold.exec_timeout ends the whole tree, with a warning
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open
safehold.exec_timeout=0.5
safehold.stop_grace=0.2
--SKIPIF--
<?php if (!is_dir('/proc/self/fd')) die('skip needs /proc'); ?>
--FILE--
<?php
function close($process): void {
  $began = microtime(true);
  var_dump(proc_close($process));
  $took = microtime(true) - $began;
  echo $took > 0.4 && $took < 10 ? "in time\n" : "took $took s\n";
}
close(proc_open(['sleep', '60'], [['null']], $pipes));

/* One that does not listen, with a child of its own. */
$process = proc_open('trap "" TERM; sleep 60 & echo $!; wait; sleep 60', [['null'], ['pipe', 'w']], $pipes);
$pid = (int)fgets($pipes[1]);
close($process);
/* Whoever inherits it may not have collected it yet. */
var_dump((bool)preg_match('/\) [^ZX]/', (string)@file_get_contents("/proc/$pid/stat")));

/* One that waits for its input is given the end of it. */
var_dump(proc_close(proc_open('cat; exit 7', [['pipe', 'r']], $pipes)));
?>
--EXPECTF--
Warning: proc_close(): safehold.exec_timeout was over: Process %d still runs.%s in %s on line %d
int(15)
in time

Warning: proc_close(): safehold.exec_timeout was over: Process %d still runs.%s in %s on line %d
int(9)
in time
bool(false)
int(7)
