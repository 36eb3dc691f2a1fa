--TEST--
Safehold\Process: a pseudo-terminal of its own
--EXTENSIONS--
safehold
--SKIPIF--
<?php
if (PHP_OS_FAMILY === 'Windows') die('skip needs a terminal of POSIX');
if (str_contains((string)getenv('LD_PRELOAD'), 'vgpreload')) die('skip Valgrind does not know TIOCGPTPEER');
?>
--FILE--
<?php
use Safehold\Process;

var_dump(Process::run('tty', stdin: 'pty', stdout: 'pty', stderr: 'pty')->status->success());
$process = new Process('stty -echo; stty size; read line; stty size; echo "got $line"', stdin: 'pty', stdout: 'pty', stderr: 'pty',
                       columns: 100, rows: 30);
$terminal = $process->pipe(1);
echo rtrim(fgets($terminal)), "\n";
$process->resize(90, 20);
fwrite($process->pipe(0), "input\n");
echo rtrim(fgets($terminal)), "\n", rtrim(fgets($terminal)), "\n", $process->wait(), "\n";
?>
--EXPECT--
bool(true)
30 100
20 90
got input
exit code 0
