--TEST--
flock: a script that would wait for itself is told at once; a lock that another process could give back is waited for
--EXTENSIONS--
pcntl
--INI--
safehold.replace=flock
safehold.lock_timeout=60
--SKIPIF--
<?php
if (PHP_OS_FAMILY !== 'Linux') die('skip the holder is known on Linux');
if (PHP_ZTS) die('skip another thread could give it back');
?>
--FILE--
<?php
require __DIR__ . '/other.inc';
$path = __DIR__ . '/flock_itself.lock';
$one = fopen($path, 'c+');
$two = fopen($path, 'c+');
foreach ([[LOCK_EX, LOCK_EX], [LOCK_EX, LOCK_SH], [LOCK_SH, LOCK_EX]] as [$first, $second]) {
    var_dump(flock($one, $first));
    took(0, function () use ($two, $second) {
        var_dump(flock($two, $second, $would_block), $would_block);
    });
}
var_dump(flock($two, LOCK_SH)); // beside the other
var_dump(flock($one, LOCK_UN), flock($two, LOCK_EX), flock($two, LOCK_UN));

echo "-- got by waiting\n";
$other = new Other("\$file = fopen('$path', 'c+'); flock(\$file, LOCK_EX)", 'usleep(200000)');
$other->release();
var_dump(flock($one, LOCK_EX));
$other->finish();
took(0, function () use ($two) {
    var_dump(flock($two, LOCK_EX));
});

echo "-- a child, whose parent gives it back\n";
$child = pcntl_fork();
if ($child === 0) {
    unset($one);
    var_dump(flock(fopen($path, 'c+'), LOCK_EX));
    exit(0);
}
usleep(400000);
flock($one, LOCK_UN);
pcntl_waitpid($child, $status);

echo "-- and a parent, whose child does\n";
flock($one, LOCK_EX);
$child = pcntl_fork();
if ($child === 0) {
    usleep(400000);
    flock($one, LOCK_UN);
    exit(0);
}
var_dump(flock($two, LOCK_EX));
pcntl_waitpid($child, $status);
?>
--CLEAN--
<?php @unlink(__DIR__ . '/flock_itself.lock'); ?>
--EXPECTF--
bool(true)

Warning: flock(): %sflock_itself.lock: This script has a lock on the file already, and would wait for itself. in %s on line %d
bool(false)
int(1)
in time
bool(true)

Warning: flock(): %sflock_itself.lock: This script has a lock on the file already, and would wait for itself. in %s on line %d
bool(false)
int(1)
in time
bool(true)

Warning: flock(): %sflock_itself.lock: This script has a lock on the file already, and would wait for itself. in %s on line %d
bool(false)
int(1)
in time
bool(true)
bool(true)
bool(true)
bool(true)
-- got by waiting
bool(true)

Warning: flock(): %sflock_itself.lock: This script has a lock on the file already, and would wait for itself. in %s on line %d
bool(false)
in time
-- a child, whose parent gives it back
bool(true)
-- and a parent, whose child does
bool(true)
