--TEST--
Safehold\leaks() lists what a careless child would inherit, and the lock on it
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip descriptors of Linux'); ?>
--FILE--
<?php
$path = __DIR__ . '/explain_leaks.lock';
$find = fn() => array_values(array_filter(Safehold\leaks(), fn($leak) => $leak->what === $path));

var_dump($find());
$stream = fopen($path, 'c'); // PHP does not open it close-on-exec
flock($stream, LOCK_EX);
$leak = $find()[0];
var_dump($leak->kind, $leak->lockMode, $leak->lockMethod, $leak->fd > 2);
flock($stream, LOCK_UN);
var_dump($find()[0]->lockMode);
fclose($stream);

$lock = new Safehold\Lock($path);
var_dump($find());

foreach ([[-1], [0], [PHP_INT_MAX], [null, 100000.0]] as $arguments)
    try {
        Safehold\leaks(...$arguments);
        echo "done\n";
    } catch (Throwable $e) {
        echo get_class($e), ': ', $e->getMessage(), "\n";
    }
?>
--CLEAN--
<?php @unlink(__DIR__ . '/explain_leaks.lock'); ?>
--EXPECT--
array(0) {
}
string(4) "file"
string(9) "exclusive"
string(5) "flock"
bool(true)
NULL
array(0) {
}
ValueError: Safehold\leaks(): Argument #1 ($pid) must be greater than 0
ValueError: Safehold\leaks(): Argument #1 ($pid) must be greater than 0
Safehold\PathException: There is no process 9223372036854775807.
ValueError: Safehold\leaks(): Argument #2 ($timeout) must be between 0 and 86400 seconds
