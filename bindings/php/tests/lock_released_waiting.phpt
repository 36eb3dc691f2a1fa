--TEST--
Lock: a handler of signals that releases the very lock that is waited for ends the wait, and nothing is held
--EXTENSIONS--
pcntl
--SKIPIF--
<?php if (!getenv('SAFEHOLD_TEST_MODULE')) die('skip needs SAFEHOLD_TEST_MODULE, the extension for a PHP that is started'); ?>
--FILE--
<?php
use Safehold\Lock;

require __DIR__ . '/other.inc';
$path = __DIR__ . '/lock_released_waiting.lock';
pcntl_async_signals(true);
$children = [];
function attempt(callable $do): void {
    try {
        $do();
        echo "not reached\n";
    } catch (Safehold\Exception $e) {
        echo get_class($e), ': ', $e->getMessage(), "\n";
    }
}
foreach ([Lock::METHOD_FLOCK, Lock::METHOD_OFD] as $method) {
    foreach ([$path, fopen($path, 'c+')] as $target) {
        $lock = new Lock($target, Lock::SHARED, method: $method);
        $other = new Other("\$lock = new Safehold\\Lock('$path', Safehold\\Lock::SHARED, method: $method)", '', []);
        pcntl_signal(SIGUSR1, function () use ($lock, $other) {
            $lock->release();
            $other->finish();
        });
        $children[] = signal_later(SIGUSR1, 1);
        attempt(fn () => $lock->convert(Lock::EXCLUSIVE, 60));
        var_dump($lock->isHeld(), Lock::try($path, method: $method) !== null);
    }
}
echo "-- in the constructor\n";
$other = Other::locks($path);
pcntl_signal(SIGUSR1, function () {
    foreach (debug_backtrace() as $frame)
        if (($frame['object'] ?? null) instanceof Lock) $frame['object']->release();
});
$children[] = signal_later(SIGUSR1, 1);
attempt(fn () => new Lock(fopen($path, 'c+'), timeout: 60));
$other->finish();
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_released_waiting.lock'); ?>
--EXPECT--
Safehold\LostException: The lock was released by a signal handler while it was being waited for.
bool(false)
bool(true)
Safehold\LostException: The lock was released by a signal handler while it was being waited for.
bool(false)
bool(true)
Safehold\LostException: The lock was released by a signal handler while it was being waited for.
bool(false)
bool(true)
Safehold\LostException: The lock was released by a signal handler while it was being waited for.
bool(false)
bool(true)
-- in the constructor
Safehold\LostException: The lock was released by a signal handler while it was being waited for.
