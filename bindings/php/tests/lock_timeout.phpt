--TEST--
A wait for a lock ends at its deadline, and the exception names who holds it
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip the holder is known on Linux'); ?>
--FILE--
<?php
use Safehold\Lock;

$path = __DIR__ . '/lock_timeout.lock';
$child = proc_open(['sh', '-c', 'exec 9>"$0"; flock 9; echo locked; read line', $path],
    [['pipe', 'r'], ['pipe', 'w']], $pipes);
fgets($pipes[1]);
$pid = proc_get_status($child)['pid'];

$began = microtime(true);
try {
    new Lock($path, timeout: 0.3);
} catch (Safehold\TimeoutException $e) {
    $took = microtime(true) - $began;
    var_dump($took >= 0.29 && $took < 10);
    var_dump($e->getSafeCode(), $e->getCode(), $e->getHolderPid() === $pid, $e->getIndex(), $e->getOsCode() >= 0);
    // Of an flock whose owner, here flock(1), has ended a container is told no number.
    $container = readlink('/proc/self/ns/pid') !== 'pid:[4026531836]';
    foreach ($e->getHolders() as $holder)
        var_dump($holder->pid === $pid, $holder->role, $holder->mode, $holder->method, $holder->fd,
            $container || in_array($holder->via, ['locked', 'inherited']));
    echo preg_replace(['/\[\d+\]/', '/\d+ ms/'], ['[PID]', 'N ms'], str_replace(__DIR__, '', $e->getMessage())), "\n";
}
try {
    new Lock($path, timeout: 0);
} catch (Safehold\TimeoutException $e) {
    var_dump($e->getSafeCode(), $e->getHolderPid() === $pid);
}
ini_set('safehold.lock_timeout', '0.2');
try {
    new Lock($path);
} catch (Safehold\TimeoutException $e) {
    var_dump($e->getSafeCode());
}
var_dump(Lock::try($path, timeout: 0.1));

fclose($pipes[0]); // it ends, and with it the lock
var_dump((new Lock($path, timeout: 30))->isHeld());
proc_close($child);
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_timeout.lock'); ?>
--EXPECT--
bool(true)
string(14) "SAFE_ETIMEDOUT"
int(-4)
bool(true)
int(-1)
bool(true)
bool(true)
string(5) "holds"
string(9) "exclusive"
string(5) "flock"
int(9)
bool(true)
/lock_timeout.lock is still locked by somebody else after N ms (asked: exclusive). Held by sh[PID].
string(10) "SAFE_EBUSY"
bool(true)
string(14) "SAFE_ETIMEDOUT"
NULL
bool(true)
