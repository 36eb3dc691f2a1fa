--TEST--
exec: in the foreground of a terminal a command can read from /dev/tty, also where PHP's stdin is something else
--EXTENSIONS--
safehold
--SKIPIF--
<?php
if (PHP_OS_FAMILY === 'Windows') die('skip needs a terminal of POSIX');
if (str_contains((string)getenv('LD_PRELOAD'), 'vgpreload')) die('skip Valgrind does not know TIOCGPTPEER');
if (!getenv('SAFEHOLD_TEST_MODULE')) die('skip needs SAFEHOLD_TEST_MODULE, the extension for a PHP that is started');
?>
--FILE--
<?php
$code = 'echo exec(\'stty -echo </dev/tty; echo ready; read line </dev/tty; echo "got $line"\', $lines), "\n";';
$php = [PHP_BINARY, '-n', '-d', 'extension=' . getenv('SAFEHOLD_TEST_MODULE'), '-d', 'safehold.replace=all',
        '-d', 'safehold.exec_timeout=10', '-r', $code];
foreach (['stdout', 'stderr'] as $stream) {
  $streams = [$stream => 'pty'] + ['stdin' => 'null', 'stdout' => 'pipe', 'stderr' => 'null'];
  $process = new Safehold\Process($php, ...$streams);
  $output = $process->pipe(1);
  fwrite($stream === 'stdout' ? $output : $process->pipe(2), "a secret\n");
  /* A terminal's end is an error to who reads from it. */
  echo preg_match('/got .*/', (string)@stream_get_contents($output), $match) ? rtrim($match[0]) : 'nothing', ', ', $process->wait(), "\n";
}
?>
--EXPECT--
got a secret, exit code 0
got a secret, exit code 0
