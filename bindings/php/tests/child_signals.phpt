--TEST--
proc_close, pclose: handlers of pcntl run meanwhile, may collect the child, may throw; SIGCHLD ignored
--EXTENSIONS--
safehold
pcntl
--INI--
safehold.replace=proc_open,popen
safehold.stop_grace=0.2
--FILE--
<?php
pcntl_async_signals(true);
pcntl_signal(SIGALRM, function () { echo "handler\n"; });
pcntl_alarm(1);
$began = microtime(true);
var_dump(proc_close(proc_open('sleep 2; exit 3', [], $pipes)));
pcntl_alarm(1);
var_dump(pclose(popen('sleep 2; exit 4', 'r')));

pcntl_signal(SIGALRM, function () { throw new Exception('enough'); });
foreach ([fn() => proc_close(proc_open('exec sleep 60', [], $pipes)), fn() => pclose(popen('exec sleep 60', 'r'))] as $wait) {
  pcntl_alarm(1);
  try {
    $wait();
  } catch (Exception $error) {
    echo $error->getMessage(), "\n";
  }
}
var_dump(microtime(true) - $began < 40);

/* The status that somebody else has collected is the child's own, where the kernel keeps it, and never a false 0. */
pcntl_signal(SIGCHLD, function () { while (pcntl_waitpid(-1, $status, WNOHANG) > 0); });
$code = proc_close(proc_open('sleep 0.2; exit 5', [], $pipes));
var_dump($code === 5 || $code === -1);
pcntl_signal(SIGCHLD, SIG_IGN);
$code = proc_close(proc_open('sleep 0.2; exit 6', [], $pipes));
var_dump($code === 6 || $code === -1);
$code = pclose(popen('sleep 0.2; exit 7', 'r'));
var_dump($code === 7 || $code === -1);
$process = proc_open('exit 8', [], $pipes);
usleep(200000);
$status = proc_get_status($process);
var_dump($status['running'], $status['exitcode'] === 8 || $status['exitcode'] === -1, proc_terminate($process, 0));
?>
--EXPECT--
handler
int(3)
handler
int(4)
enough
enough
bool(true)
bool(true)
bool(true)
bool(true)
bool(false)
bool(true)
bool(false)
