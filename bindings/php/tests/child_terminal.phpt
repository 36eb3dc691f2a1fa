--TEST--
proc_open, popen: a child shares the terminal's process group where PHP has a terminal, and has its own elsewhere
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open,popen
--SKIPIF--
<?php
if (!is_readable('/proc/self/stat')) die('skip needs /proc');
if (!getenv('SAFEHOLD_TEST_MODULE')) die('skip needs SAFEHOLD_TEST_MODULE, the extension for a PHP that is started');
?>
--FILE--
<?php
$code = '$group = fn($stat) => explode(" ", $stat)[4]; $own = $group(file_get_contents("/proc/self/stat"));
  $child = popen("exec cat /proc/self/stat", "r"); echo $group(fgets($child)) === $own ? "shared\n" : "its own\n";';
$php = [PHP_BINARY, '-n', '-d', 'extension=' . getenv('SAFEHOLD_TEST_MODULE'), '-d', 'safehold.replace=all', '-r', $code];
foreach ([['pty'], ['null']] as $stdin) {
  $process = proc_open($php, [$stdin, ['pipe', 'w']], $pipes);
  echo fgets($pipes[1]);
  var_dump(proc_close($process));
}
?>
--EXPECT--
shared
int(0)
its own
int(0)
