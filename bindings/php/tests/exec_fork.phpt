--TEST--
exec: a copy that a signal handler makes by pcntl_fork takes no output away from the parent
--EXTENSIONS--
safehold
pcntl
--INI--
safehold.replace=exec
--FILE--
<?php
pcntl_async_signals(true);
pcntl_signal(SIGUSR1, function () use (&$copy) { $copy = pcntl_fork(); });
$self = getmypid();
exec("kill -USR1 $self; for i in 1 2 3 4 5 6 7 8; do sleep 0.05; echo \$i; done; exit 3", $lines, $code);
if ($copy === 0) exit($lines === [] && $code === -1 ? 0 : 1);
pcntl_waitpid($copy, $status);
echo implode(' ', $lines), ", exit code $code, and of the copy ", pcntl_wexitstatus($status), "\n";
?>
--EXPECT--
1 2 3 4 5 6 7 8, exit code 3, and of the copy 0
