--TEST--
Safehold\why() tells who holds a file, and what a process waits for
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip the holder is known on Linux'); ?>
--FILE--
<?php
$path = __DIR__ . '/explain_why.lock';
$child = proc_open(['sh', '-c', 'exec 9>"$0"; flock 9; echo locked; read line', $path],
    [['pipe', 'r'], ['pipe', 'w']], $pipes);
fgets($pipes[1]);
$pid = proc_get_status($child)['pid'];

$why = Safehold\why($path);
var_dump($why->verdict, $why->file === $path, count($why->holders), $why->holders[0]->pid === $pid);
var_dump(str_contains($why, "sh[$pid]"), (string) $why === $why->text);

// It waits for a line from us. Its shell may need a moment to come to that.
for ($try = 0; $try < 100 && ($why = Safehold\why($pid))->links === []; $try++) usleep(20000);
$link = $why->links[0];
var_dump($why->verdict, $link->pid === $pid, $link->waits, $link->other === getmypid(), $link->inCycle);

fclose($pipes[0]);
proc_close($child);
// A container, which does not see all processes, calls nothing free.
$container = readlink('/proc/self/ns/pid') !== 'pid:[4026531836]';
var_dump(Safehold\why($path)->verdict === ($container ? 'unknown' : 'free'));
foreach ([[__DIR__ . '/none'], [PHP_INT_MAX], [$path, -1], [$path, NAN], [''], [0]] as $arguments)
    try {
        Safehold\why(...$arguments);
        echo "done\n";
    } catch (Throwable $e) {
        echo get_class($e), ': ', str_replace(__DIR__, '', $e->getMessage()), "\n";
    }
?>
--CLEAN--
<?php @unlink(__DIR__ . '/explain_why.lock'); ?>
--EXPECT--
string(4) "held"
bool(true)
int(1)
bool(true)
bool(true)
bool(true)
string(4) "held"
bool(true)
string(5) "input"
bool(true)
bool(false)
bool(true)
Safehold\PathException: The file cannot be examined: No such file or directory (looking at locks and processes, system error 2).
Safehold\PathException: There is no process 9223372036854775807.
ValueError: Safehold\why(): Argument #2 ($timeout) must be between 0 and 86400 seconds
ValueError: Safehold\why(): Argument #2 ($timeout) must be between 0 and 86400 seconds
ValueError: Safehold\why(): Argument #1 ($target) must not be empty
ValueError: What is to be explained is a path or the number of a process: one of them.
