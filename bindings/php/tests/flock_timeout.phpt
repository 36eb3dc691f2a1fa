--TEST--
flock: waits until safehold.lock_timeout, names who has the lock, and gets it when it is free
--INI--
safehold.replace=flock
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip the holder is known on Linux'); ?>
--FILE--
<?php
require __DIR__ . '/other.inc';
$path = __DIR__ . '/flock_timeout.lock';
$other = Other::locks($path);
set_error_handler(function ($level, $message) use ($other) {
    echo plain($message, __DIR__, $other), "\n";
});

$file = fopen($path, 'c+');
ini_set('safehold.lock_timeout', '0.3');
took(0.3, function () use ($file) {
    var_dump(flock($file, LOCK_EX, $would_block), $would_block);
});
took(0.3, function () use ($file) {
    var_dump(flock($file, LOCK_SH, $would_block), $would_block);
});
echo "-- not waited for\n";
var_dump(flock($file, LOCK_EX | LOCK_NB, $would_block), $would_block);
echo "-- others that lock\n";
took(0.3, function () use ($path) {
    var_dump((new SplFileObject($path, 'c+'))->flock(LOCK_EX, $would_block), $would_block);
});
took(0.3, function () use ($path) {
    var_dump(file_put_contents($path, 'text', LOCK_EX));
});
var_dump(filesize($path));

echo "-- given back\n";
ini_set('safehold.lock_timeout', '-1');
$other->finish();
var_dump(flock($file, LOCK_EX, $would_block), $would_block);
?>
--CLEAN--
<?php @unlink(__DIR__ . '/flock_timeout.lock'); ?>
--EXPECT--
flock(): FOLDER/flock_timeout.lock: The file is still locked by somebody else after N ms (asked: exclusive). Held by the other.
bool(false)
int(1)
in time
flock(): FOLDER/flock_timeout.lock: The file is still locked by somebody else after N ms (asked: shared). Held by the other.
bool(false)
int(1)
in time
-- not waited for
bool(false)
int(1)
-- others that lock
SplFileObject::flock(): FOLDER/flock_timeout.lock: The file is still locked by somebody else after N ms (asked: exclusive). Held by the other.
bool(false)
int(1)
in time
file_put_contents(): FOLDER/flock_timeout.lock: The file is still locked by somebody else after N ms (asked: exclusive). Held by the other.
file_put_contents(): Exclusive locks are not supported for this stream
bool(false)
in time
int(0)
-- given back
bool(true)
int(0)
