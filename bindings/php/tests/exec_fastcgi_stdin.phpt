--TEST--
exec: a listening socket as stdin, which FastCGI servers give PHP, does not reach the command
--EXTENSIONS--
safehold
--SKIPIF--
<?php if (!is_dir('/proc/self/fd')) die('skip needs /proc'); ?>
--FILE--
<?php
$server = stream_socket_server('tcp://127.0.0.1:0');
$php = getenv('TEST_PHP_EXECUTABLE') . ' ' . getenv('TEST_PHP_EXTRA_ARGS') . ' -d safehold.replace=exec -r';
$code = 'echo exec("readlink /proc/self/fd/0"), " ", exec("cat; echo ended"), "\n";';
foreach ([$server, ['pipe', 'r']] as $stdin) {
  $process = proc_open("exec $php '$code'", [$stdin, ['pipe', 'w']], $pipes);
  if (isset($pipes[0])) fclose($pipes[0]);
  echo preg_replace('/\d+/', 'N', stream_get_contents($pipes[1]));
  proc_close($process);
}
?>
--EXPECT--
/dev/null ended
pipe:[N] ended
