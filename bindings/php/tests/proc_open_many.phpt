--TEST--
proc_open, popen: many children at once, no zombie and no descriptor left
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open,popen
--SKIPIF--
<?php if (!is_readable('/proc/self/task')) die('skip needs /proc'); ?>
--FILE--
<?php
function children(): string {
  return trim(file_get_contents('/proc/self/task/' . getmypid() . '/children'));
}
$before = count(scandir('/proc/self/fd'));
for ($round = 0; $round < 2; $round++) {
  $processes = $streams = [];
  for ($n = 0; $n < 30; $n++) {
    $processes[$n] = proc_open("read line; echo \$line; exit $n", [['pipe', 'r'], ['pipe', 'w']], $pipes[$n]);
    $streams[$n] = popen("exit $n", 'r');
  }
  $wrong = 0;
  foreach ($processes as $n => $process) {
    fwrite($pipes[$n][0], "line $n\n");
    $wrong += fgets($pipes[$n][1]) !== "line $n\n";
    $wrong += proc_close($process) !== $n;
    $wrong += pclose($streams[$n]) !== $n;
  }
  var_dump($wrong);
}
/* Forgotten, and not closed: what has ended is collected by the next. */
for ($n = 0; $n < 20; $n++) proc_open('exit 1', [], $none);
unset($pipes, $process, $processes, $streams, $none);
for ($tries = 0; $tries < 100 && children() !== ''; $tries++) {
  usleep(20000);
  pclose(popen('exit 0', 'r'));
}
var_dump(children(), count(scandir('/proc/self/fd')) - $before);
?>
--EXPECT--
int(0)
int(0)
string(0) ""
int(0)
