--TEST--
Safehold\Process: signal handlers run during waits; one that throws leaves the child alone, for the script to decide
--EXTENSIONS--
safehold
pcntl
--INI--
safehold.stop_grace=0.2
--FILE--
<?php
use Safehold\Process;

pcntl_async_signals(true);
$seen = [];
pcntl_signal(SIGUSR1, function () use (&$seen) { $seen[] = 'USR1'; });
$me = getmypid();
var_dump((string)(new Process("kill -USR1 $me; sleep 0.5"))->wait(), $seen);
var_dump(Process::run("kill -USR1 $me; sleep 0.5; echo out")->stdout, $seen);

pcntl_signal(SIGUSR1, function () { throw new Exception('enough'); });
$process = new Process("echo begun; sleep 0.3; kill -USR1 $me; sleep 0.5; echo end", stdout: 'pipe');
try {
  $process->communicate();
} catch (Exception $thrown) {
  echo $thrown->getMessage(), "\n";
}
var_dump($process->output()->stdout, $process->isRunning());
var_dump($process->communicate()->stdout, (string)$process->wait());

unset($process);
/* run() has nobody to decide. */
try {
  Process::run("kill -USR1 $me; exec sleep 60");
} catch (Exception $thrown) {
  echo $thrown->getMessage(), "\n";
}
var_dump(trim(file_get_contents("/proc/self/task/$me/children")));

pcntl_signal(SIGUSR1, function () { exit(0); });
register_shutdown_function(function () { echo "shutdown\n"; });
$process = new Process("sleep 0.2; kill -USR1 $me; exec sleep 60");
$process->wait();
echo "not reached\n";
?>
--SKIPIF--
<?php if (!is_dir('/proc/self/task')) die('skip needs /proc'); ?>
--EXPECT--
string(11) "exit code 0"
array(1) {
  [0]=>
  string(4) "USR1"
}
string(4) "out
"
array(2) {
  [0]=>
  string(4) "USR1"
  [1]=>
  string(4) "USR1"
}
enough
string(6) "begun
"
bool(true)
string(10) "begun
end
"
string(11) "exit code 0"
enough
string(0) ""
shutdown
