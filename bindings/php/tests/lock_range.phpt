--TEST--
Byte ranges, flags, and what is refused
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip the methods of Linux'); ?>
--FILE--
<?php
use Safehold\Lock;

$path = __DIR__ . '/lock_range.lock';
$range = fn(int $offset, int $length) => Lock::try($path, offset: $offset, length: $length, method: Lock::METHOD_OFD);
$first = $range(0, 10);
var_dump($range(5, 10), $range(10, 10) instanceof Lock, $first->holders()[0]->length);
unset($first);

$lock = new Lock($path, flags: Lock::CREATE | Lock::REMOVE_ON_RELEASE);
$lock->release();
var_dump(file_exists($path));

function refused(callable $call): void
{
    try {
        $call();
        echo "not refused\n";
    } catch (Throwable $e) {
        $code = $e instanceof Safehold\Exception ? $e->getSafeCode() : 'no code';
        echo get_class($e), ' (', $code, '): ', str_replace(__DIR__, '', $e->getMessage()), "\n";
    }
}
refused(fn() => new Lock($path, flags: 0));
refused(fn() => new Lock(__DIR__));
refused(fn() => new Lock(__DIR__ . '/none/x'));
refused(fn() => new Lock('/dev/null'));
refused(fn() => new Lock($path, offset: 1, length: 1));
refused(fn() => new Lock($path, 9));
refused(fn() => new Lock($path, -1));
refused(fn() => new Lock($path, timeout: NAN));
refused(fn() => new Lock($path, flags: 4));
refused(fn() => new Lock($path, method: Lock::METHOD_FAR));
refused(fn() => new Lock($path, offset: -1, method: Lock::METHOD_OFD));
refused(fn() => new Lock($path, label: str_repeat('x', 65), flags: Lock::CREATE | Lock::RECORD_OWNER));
refused(fn() => (new Lock($path))->__construct($path));
refused(fn() => Lock::holdersOf($path, -1));
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_range.lock'); ?>
--EXPECT--
NULL
bool(true)
int(10)
bool(false)
Safehold\PathException (SAFE_ENOENT): The lock file cannot be opened: No such file or directory (opening the lock file, system error 2). File: /lock_range.lock.
Safehold\PathException (SAFE_EISDIR): The lock file cannot be opened: Is a directory (opening the lock file, system error 21). File: .
Safehold\PathException (SAFE_ENOENT): The lock file cannot be opened: No such file or directory (opening the lock file, system error 2). File: /none/x.
Safehold\PathException (SAFE_ENOTREG): Only a regular file can be locked. File: /dev/null.
ValueError (no code): This lock method knows no byte ranges: offset and length must be 0.
ValueError (no code): The lock mode has the unknown value 9.
ValueError (no code): Safehold\Lock::__construct(): Argument #2 ($mode) must be Lock::EXCLUSIVE or Lock::SHARED
ValueError (no code): Safehold\Lock::__construct(): Argument #3 ($timeout) must be a number
ValueError (no code): Safehold\Lock::__construct(): Argument #8 ($flags) must be a sum of Lock's flags
Safehold\UnsupportedException (SAFE_ENOTSUP): Linux has no lock method 3.
ValueError (no code): The range of 0 bytes from -1 is not one that a file can have.
ValueError (no code): The label is longer than 64 bytes.
Error (no code): A lock cannot be constructed twice
ValueError (no code): Safehold\Lock::holdersOf(): Argument #2 ($timeout) must be between 0 and 86400 seconds
