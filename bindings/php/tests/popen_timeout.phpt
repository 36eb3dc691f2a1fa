--TEST--
pclose, fclose, the end of the request: safehold.exec_timeout ends the wait for popen's child
--EXTENSIONS--
safehold
--INI--
safehold.replace=popen
safehold.exec_timeout=0.5
safehold.stop_grace=0.2
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs a POSIX shell'); ?>
--FILE--
<?php
function timed(callable $call): void {
  $began = microtime(true);
  var_dump($call());
  $took = microtime(true) - $began;
  echo $took > 0.4 && $took < 10 ? "in time\n" : "took $took s\n";
}
timed(fn() => pclose(popen('exec sleep 60', 'r')));
timed(fn() => fclose(popen('exec sleep 60', 'w')));
timed(fn() => pclose(popen('trap "" TERM; while :; do sleep 1; done', 'r')));
$left = popen('exec sleep 60', 'r');
exit;
?>
--EXPECTF--
Warning: pclose(): safehold.exec_timeout was over: Process %d still runs.%s in %s on line %d
int(15)
in time

Warning: fclose(): safehold.exec_timeout was over: Process %d still runs.%s in %s on line %d
bool(true)
in time

Warning: pclose(): safehold.exec_timeout was over: Process %d still runs.%s in %s on line %d
int(9)
in time

Warning: PHP Request Shutdown: safehold.exec_timeout was over: Process %d still runs.%s in Unknown on line 0
