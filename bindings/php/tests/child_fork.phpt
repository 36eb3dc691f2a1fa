--TEST--
proc_open, popen: a forked copy of PHP does not wait for its parent's children
--EXTENSIONS--
safehold
pcntl
--INI--
safehold.replace=proc_open,popen
--FILE--
<?php
$process = proc_open('read line; exit 3', [['pipe', 'r']], $pipes);
$stream = popen('read line; exit 4', 'w');
$pid = pcntl_fork();
if ($pid === 0) {
  $status = proc_get_status($process);
  exit(!$status['running'] && proc_close($process) === -1 && pclose($stream) === -1 ? 0 : 1);
}
pcntl_waitpid($pid, $status);
var_dump(pcntl_wexitstatus($status), proc_get_status($process)['running']);
fwrite($stream, "\n");
var_dump(proc_close($process), pclose($stream));
?>
--EXPECT--
int(0)
bool(true)
int(3)
int(4)
