--TEST--
exec, system, passthru, shell_exec: safehold.exec_timeout ends the command and keeps what came
--EXTENSIONS--
safehold
--INI--
safehold.replace=exec,system,passthru,shell_exec
safehold.exec_timeout=0.5
safehold.stop_grace=0.2
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs a POSIX shell'); ?>
--FILE--
<?php
function timed(callable $call): void {
  $began = microtime(true);
  $call();
  $took = microtime(true) - $began;
  echo $took > 0.4 && $took < 10 ? "in time\n" : "took $took s\n";
}
timed(function () {
  var_dump(exec('echo first; printf second; sleep 60', $lines, $code), $lines, $code);
});
timed(function () {
  var_dump(system('echo shown; exec sleep 60', $code), $code);
});
timed(function () {
  passthru('trap "" TERM; printf raw; sleep 60', $code);
  var_dump($code);
});
timed(function () { var_dump(shell_exec('echo kept; sleep 60')); });
/* One that closes its output and goes on; and one whose child keeps it open. */
timed(function () {
  exec('exec >/dev/null; sleep 60', $none, $code);
  var_dump($code);
});
timed(function () {
  exec('sleep 60 & echo $!', $pid, $code);
  /* Whoever inherits it may not have collected it yet. */
  var_dump($code, (bool)preg_match('/^\d+ \(sleep\) [^ZX]/', (string)@file_get_contents("/proc/$pid[0]/stat")));
});
/* One that never stops to write. */
ini_set('memory_limit', '-1');
timed(function () {
  ob_start(fn($bytes) => '', 4096);
  passthru('exec yes 2>/dev/null', $code);
  ob_end_clean();
  var_dump($code, (bool)strpos(error_get_last()['message'], 'exec_timeout was over'));
});
?>
--EXPECTF--
Warning: exec(): safehold.exec_timeout was over: %s in %s on line %d
string(6) "second"
array(2) {
  [0]=>
  string(5) "first"
  [1]=>
  string(6) "second"
}
int(-1)
in time
shown

Warning: system(): safehold.exec_timeout was over: %s in %s on line %d
string(5) "shown"
int(-1)
in time
raw
Warning: passthru(): safehold.exec_timeout was over: %s in %s on line %d
int(-1)
in time

Warning: shell_exec(): safehold.exec_timeout was over: %s in %s on line %d
string(5) "kept
"
in time

Warning: exec(): safehold.exec_timeout was over: %s in %s on line %d
int(-1)
in time

Warning: exec(): safehold.exec_timeout was over: The command has ended, but a process that it started keeps its output open. in %s on line %d
int(-1)
bool(false)
in time
int(-1)
bool(true)
in time
