--TEST--
flock: a wait ends with the grant, and what was got belongs to the stream
--INI--
safehold.replace=flock
safehold.lock_timeout=60
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs a POSIX shell'); ?>
--FILE--
<?php
require __DIR__ . '/other.inc';
$path = __DIR__ . '/flock_waits.lock';
/* Whether somebody else could lock it: flock(1) has nothing to do with PHP. */
$ask = fn(string $mode) => exec("flock -n $mode $path true && echo free || echo locked");

$other = new Other("\$file = fopen('$path', 'c+'); flock(\$file, LOCK_EX)", 'usleep(300000)');
$file = fopen($path, 'c+');
$other->release();
took(0.2, function () use ($file) {
    var_dump(flock($file, LOCK_EX, $would_block), $would_block);
});
$other->finish();
echo $ask('-s'), "\n";
fwrite($file, 'text');
rewind($file);
var_dump(fread($file, 10), flock($file, LOCK_SH));
echo $ask('-s'), ' ', $ask('-x'), "\n";
var_dump(flock($file, LOCK_UN));
echo $ask('-x'), "\n";

echo "-- closed\n";
$other = new Other("\$file = fopen('$path', 'c+'); flock(\$file, LOCK_EX)", 'usleep(300000)');
$other->release();
var_dump(flock($file, LOCK_SH));
echo $ask('-s'), ' ', $ask('-x'), "\n";
$other->finish(); // which was started with this open file too, and has it until its end
fclose($file);
echo $ask('-x'), "\n";

echo "-- file_put_contents\n";
$other = new Other("\$file = fopen('$path', 'c+'); flock(\$file, LOCK_EX)", 'usleep(300000); fwrite($file, "longer than that"); fflush($file)');
$other->release();
var_dump(file_put_contents($path, 'new', LOCK_EX), file_get_contents($path));
$other->finish();
?>
--CLEAN--
<?php @unlink(__DIR__ . '/flock_waits.lock'); ?>
--EXPECT--
bool(true)
int(0)
in time
locked
string(4) "text"
bool(true)
free locked
bool(true)
free
-- closed
bool(true)
free locked
free
-- file_put_contents
int(3)
string(3) "new"
