--TEST--
Safehold\Lock::convert(): what is left where it fails depends on the method
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip the methods of Linux'); ?>
--FILE--
<?php
use Safehold\Lock;

$path = __DIR__ . '/lock_convert.lock';
foreach ([Lock::METHOD_FLOCK, Lock::METHOD_OFD] as $method) {
    $get = fn(int $mode) => Lock::try($path, $mode, method: $method);
    $lock = $get(Lock::SHARED);
    $lock->convert(Lock::EXCLUSIVE);
    var_dump($lock->isHeld(), $get(Lock::SHARED));
    $lock->convert(Lock::SHARED, 0);
    $second = $get(Lock::SHARED);
    foreach ([0, 0.2] as $timeout)
        try {
            $lock = $get(Lock::SHARED);
            $lock->convert(Lock::EXCLUSIVE, $timeout);
        } catch (Safehold\Exception $e) {
            echo get_class($e), ' ', $e->getSafeCode(), "\n";
            var_dump($lock->isHeld());
        }
    unset($second);
}
try {
    $lock->convert(7);
} catch (ValueError $e) {
    echo $e->getMessage(), "\n";
}
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_convert.lock'); ?>
--EXPECT--
bool(true)
NULL
Safehold\LostException SAFE_ELOST
bool(false)
Safehold\LostException SAFE_ELOST
bool(false)
bool(true)
NULL
Safehold\TimeoutException SAFE_EBUSY
bool(true)
Safehold\DeadlockException SAFE_EDEADLK
bool(true)
Safehold\Lock::convert(): Argument #1 ($mode) must be Lock::EXCLUSIVE or Lock::SHARED
