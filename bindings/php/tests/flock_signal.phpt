--TEST--
flock: handlers of signals run during the wait; one may throw, close the stream or exit; pcntl_alarm ends it as ever
--EXTENSIONS--
pcntl
--INI--
safehold.replace=flock
safehold.lock_timeout=60
--FILE--
<?php
require __DIR__ . '/other.inc';
$path = __DIR__ . '/flock_signal.lock';
$other = Other::locks($path);
$file = fopen($path, 'c+');
pcntl_async_signals(true);

pcntl_signal(SIGUSR1, function () { echo "handled\n"; });
pcntl_signal(SIGUSR2, function () { throw new Exception('thrown'); });
$children = [signal_later(SIGUSR1, 0.2), signal_later(SIGUSR2, 0.6)];
try {
    flock($file, LOCK_EX);
    echo "not reached\n";
} catch (Exception $e) {
    echo $e->getMessage(), "\n";
}
echo "-- alarm\n";
pcntl_signal(SIGALRM, function () { echo "alarm\n"; });
pcntl_alarm(1);
took(0.9, function () use ($file) {
    var_dump(flock($file, LOCK_EX, $would_block), $would_block);
});
echo "-- a handler that is not restarted\n";
pcntl_async_signals(false);
pcntl_signal(SIGUSR1, function () { echo "dispatched\n"; }, false);
$children[] = signal_later(SIGUSR1, 0.2);
var_dump(flock($file, LOCK_EX));
pcntl_signal_dispatch();
pcntl_async_signals(true);
echo "-- one that closes the stream, and lets the other go\n";
pcntl_signal(SIGUSR1, function () use (&$file, $other) {
    fclose($file);
    $other->release();
});
$children[] = signal_later(SIGUSR1, 0.2);
var_dump(flock($file, LOCK_EX));
$other->finish();
$file = fopen($path, 'c+');
var_dump(flock($file, LOCK_EX | LOCK_NB)); // it was not left locked
echo "-- one that locks itself\n";
flock($file, LOCK_UN);
$other = Other::locks($path);
pcntl_signal(SIGUSR1, function () use ($path, $other) {
    ini_set('safehold.lock_timeout', '0.1');
    var_dump(@flock(fopen($path, 'c+'), LOCK_EX));
    $other->release();
});
$children[] = signal_later(SIGUSR1, 0.2);
var_dump(flock($file, LOCK_EX));
$other->finish();
flock($file, LOCK_UN);
echo "-- one that exits\n";
ini_set('safehold.lock_timeout', '60');
$other = Other::locks($path);
register_shutdown_function(function () use ($other) {
    echo "shut down\n";
    $other->finish();
});
pcntl_signal(SIGUSR1, function () { exit("exit\n"); });
$children[] = signal_later(SIGUSR1, 0.2);
flock($file, LOCK_EX);
echo "not reached\n";
?>
--CLEAN--
<?php @unlink(__DIR__ . '/flock_signal.lock'); ?>
--EXPECT--
handled
thrown
-- alarm
alarm
bool(false)
int(0)
in time
-- a handler that is not restarted
bool(false)
dispatched
-- one that closes the stream, and lets the other go
bool(false)
bool(true)
-- one that locks itself
bool(false)
bool(true)
-- one that exits
exit
shut down
