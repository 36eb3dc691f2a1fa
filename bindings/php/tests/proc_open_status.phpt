--TEST--
proc_get_status, proc_terminate, proc_close: running, stopped, ended, killed, told
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open
--FILE--
<?php
function state($process): string {
  $status = proc_get_status($process);
  return sprintf('running %d signaled %d stopped %d exitcode %d termsig %d stopsig %d', $status['running'],
                 $status['signaled'], $status['stopped'], $status['exitcode'], $status['termsig'], $status['stopsig']);
}
function once_it_is(string $wanted, $process): string {
  for ($tries = 0; $tries < 500 && !str_contains($state = state($process), $wanted); $tries++) usleep(20000);
  return $state;
}

$process = proc_open('kill -STOP $$; read line; exit 4', [['pipe', 'r']], $pipes);
/* That it has stopped is told once, to the first who asks. */
echo once_it_is('stopped 1', $process), "\n", state($process), "\n";
$status = proc_get_status($process);
var_dump($status['command'], $status['pid'] > 1, proc_terminate($process, 18));
echo state($process), "\n";
fwrite($pipes[0], "\n");
echo once_it_is('running 0', $process), "\n";
/* An exit code is told once before PHP 8.3, and kept from then on. */
$again = state($process);
$closed = proc_close($process);
var_dump(PHP_VERSION_ID < 80300 ? str_contains($again, 'exitcode -1') && $closed === -1
                                : str_contains($again, 'exitcode 4') && $closed === 4);

$process = proc_open(['sleep', '60'], [], $pipes);
var_dump(proc_get_status($process)['command'], proc_terminate($process));
echo once_it_is('running 0', $process), "\n";
var_dump(proc_terminate($process), proc_close($process));

$process = proc_open(['sleep', '60'], [], $pipes);
var_dump(proc_terminate($process, 9), proc_close($process));
$process = proc_open('exit 9', [], $pipes);
var_dump(proc_terminate($process, 1000), proc_close($process));
try {
  proc_get_status($process);
} catch (TypeError $error) {
  echo $error->getMessage(), "\n";
}
?>
--EXPECT--
running 1 signaled 0 stopped 1 exitcode -1 termsig 0 stopsig 19
running 1 signaled 0 stopped 0 exitcode -1 termsig 0 stopsig 0
string(32) "kill -STOP $$; read line; exit 4"
bool(true)
bool(true)
running 1 signaled 0 stopped 0 exitcode -1 termsig 0 stopsig 0
running 0 signaled 0 stopped 0 exitcode 4 termsig 0 stopsig 0
bool(true)
string(5) "sleep"
bool(true)
running 0 signaled 1 stopped 0 exitcode -1 termsig 15 stopsig 0
bool(false)
int(-1)
bool(true)
int(9)
bool(false)
int(9)
proc_get_status(): supplied resource is not a valid process resource
