--TEST--
Safehold\Lock excludes, also flock() of PHP, and is given back by release() and by its end
--FILE--
<?php
use Safehold\Lock;

$path = __DIR__ . '/lock_basic.lock';
$other = fn(int $how) => flock(fopen($path, 'c'), $how | LOCK_NB);

$lock = new Lock($path);
var_dump($lock->isHeld(), $lock->waitKind() === Lock::WAIT_NONE, $other(LOCK_SH), Lock::try($path));
$lock->release();
$lock->release();
var_dump($lock->isHeld(), $other(LOCK_EX));

$first = Lock::try($path, Lock::SHARED);
$second = Lock::try($path, Lock::SHARED);
var_dump($first->isHeld(), $second->isHeld(), $other(LOCK_SH), $other(LOCK_EX));
unset($first, $second);
var_dump($other(LOCK_EX));

try {
    $lock->waitKind();
} catch (Safehold\LostException $e) {
    echo get_class($e), ': ', $e->getMessage(), "\n";
}
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_basic.lock'); ?>
--EXPECT--
bool(true)
bool(true)
bool(false)
NULL
bool(false)
bool(true)
bool(true)
bool(true)
bool(true)
bool(false)
bool(true)
Safehold\LostException: This lock is not held any more.
