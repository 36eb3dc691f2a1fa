--TEST--
Sessions: a handler of signals that forks while a session is waited for: the child waits for the parent
--EXTENSIONS--
session
pcntl
--INI--
safehold.replace=session
safehold.lock_timeout=60
session.use_cookies=0
session.cache_limiter=
--FILE--
<?php
ob_start();
require __DIR__ . '/other.inc';
$folder = __DIR__ . '/session_fork_waiting.d';
mkdir($folder);
session_save_path($folder);
$other = Other::locks("$folder/sess_one");
$child = null;
pcntl_async_signals(true);
pcntl_signal(SIGUSR1, function () use (&$child, $other) {
    $child = pcntl_fork();
    $other->release();
});
$signal = signal_later(SIGUSR1, 0.3);
session_id('one');
session_start();
$log = fopen("$folder/log", 'a');
fwrite($log, 'in ');
usleep(300000);
fwrite($log, 'out ');
session_write_close();
if ($child === 0) exec('kill -9 ' . getmypid()); // the processes of proc_open are the parent's
pcntl_waitpid($child, $status);
$other->finish();
echo file_get_contents("$folder/log"), "\n";
?>
--CLEAN--
<?php
array_map('unlink', glob(__DIR__ . '/session_fork_waiting.d/*'));
@rmdir(__DIR__ . '/session_fork_waiting.d');
?>
--EXPECT--
in out in out
