--TEST--
Safehold\Lock on an open stream: the lock stays when the stream is closed, and the file stays open when the lock is released
--FILE--
<?php
use Safehold\Lock;

$path = __DIR__ . '/lock_stream.lock';
file_put_contents($path, "one\ntwo\n");
$other = fn(int $how) => flock(fopen($path, 'c'), $how | LOCK_NB);

$stream = fopen($path, 'r+');
echo fgets($stream);
$lock = new Lock($stream);
var_dump($lock->isHeld(), $other(LOCK_SH));
echo fgets($stream);
$lock->release();
var_dump($other(LOCK_EX), rewind($stream), fgets($stream));

$lock = new Lock($stream, Lock::SHARED);
fclose($stream);
var_dump($lock->isHeld(), $other(LOCK_EX), $other(LOCK_SH));
unset($lock);
var_dump($other(LOCK_EX));

foreach ([$stream, fopen('php://memory', 'r+'), 5, new stdClass, '', "a\0b"] as $target)
    try {
        new Lock($target);
    } catch (Error $e) {
        echo get_class($e), ': ', $e->getMessage(), "\n";
    }
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_stream.lock'); ?>
--EXPECT--
one
bool(true)
bool(false)
two
bool(true)
bool(true)
string(4) "one
"
bool(true)
bool(false)
bool(true)
bool(true)
ValueError: Safehold\Lock::__construct(): Argument #1 ($target) must be an open stream of a plain file
ValueError: Safehold\Lock::__construct(): Argument #1 ($target) must be an open stream of a plain file
TypeError: Safehold\Lock::__construct(): Argument #1 ($target) must be of type string or resource, int given
TypeError: Safehold\Lock::__construct(): Argument #1 ($target) must be of type string or resource, stdClass given
ValueError: Safehold\Lock::__construct(): Argument #1 ($target) must not be empty
ValueError: Safehold\Lock::__construct(): Argument #1 ($target) must not contain any null bytes
