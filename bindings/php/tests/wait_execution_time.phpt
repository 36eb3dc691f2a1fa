--TEST--
max_execution_time ends a wait, which PHP's own clock of CPU time does not see; set_time_limit() counts anew
--INI--
safehold.replace=flock
safehold.lock_timeout=60
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip the holder is known on Linux'); ?>
--FILE--
<?php
require __DIR__ . '/other.inc';
$path = __DIR__ . '/wait_execution_time.lock';
$other = Other::locks($path);
$file = fopen($path, 'c+');
$wait = function (string $seconds) use ($file): void {
    ini_set('safehold.lock_timeout', $seconds);
    var_dump(@flock($file, LOCK_EX));
};
set_time_limit(2);
$wait('1.2');
set_time_limit(2);
$wait('1.2');
$began = microtime(true);
register_shutdown_function(function () use ($began, $other, $path) {
    $took = microtime(true) - $began;
    echo $took > 0.4 && $took < 20 ? "in time\n" : "it took $took s\n"; // what was left of the 2 s
    set_time_limit(60);
    $other->finish();
    var_dump(flock(fopen($path, 'c+'), LOCK_EX));
});
ini_set('safehold.lock_timeout', '60');
flock($file, LOCK_EX);
echo "not reached\n";
?>
--CLEAN--
<?php @unlink(__DIR__ . '/wait_execution_time.lock'); ?>
--EXPECTF--
bool(false)
bool(false)

Warning: flock(): %swait_execution_time.lock: The file is still locked by somebody else after %d ms (asked: exclusive). Held by %s. in %s on line %d

Fatal error: Maximum execution time of 2 seconds exceeded in %s on line %d
in time
bool(true)
