--TEST--
Lock: a script that has the lock itself is told at once, by every method; not by a lock of other bytes
--SKIPIF--
<?php
if (PHP_OS_FAMILY !== 'Linux') die('skip the holder is known on Linux');
if (PHP_ZTS) die('skip another thread could give it back');
if (!getenv('SAFEHOLD_TEST_MODULE')) die('skip needs SAFEHOLD_TEST_MODULE, the extension for a PHP that is started');
?>
--FILE--
<?php
use Safehold\Lock;

require __DIR__ . '/other.inc';
$path = __DIR__ . '/lock_itself.lock';
function again(mixed ...$arguments): void
{
    try {
        new Lock(...$arguments);
        echo "not reached\n";
    } catch (Safehold\Exception $e) {
        echo get_class($e), "\n";
    }
}
$methods = [Lock::METHOD_FLOCK, Lock::METHOD_OFD, Lock::METHOD_POSIX, Lock::METHOD_BOTH];
foreach ($methods as $method) {
    $lock = new Lock($path, Lock::SHARED, method: $method);
    again($path, timeout: 60, method: $method);
    $lock->release();
}
foreach ([Lock::METHOD_FLOCK, Lock::METHOD_OFD] as $method) {
    $lock = new Lock($path, method: Lock::METHOD_BOTH);
    again($path, timeout: 60, method: $method);
    $lock->release();
}
echo "-- other bytes\n";
$ofd = Lock::METHOD_OFD;
$lock = new Lock($path, method: $ofd, length: 10);
$other = new Other("\$lock = new Safehold\\Lock('$path', method: $ofd, offset: 20, length: 10)", '', []);
again($path, timeout: 0.2, method: $ofd, offset: 20, length: 10);
$other->finish();
again($path, timeout: 60, method: $ofd, offset: 5);
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_itself.lock'); ?>
--EXPECT--
Safehold\DeadlockException
Safehold\DeadlockException
Safehold\DeadlockException
Safehold\DeadlockException
Safehold\DeadlockException
Safehold\DeadlockException
-- other bytes
Safehold\TimeoutException
Safehold\DeadlockException
