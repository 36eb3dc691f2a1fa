--TEST--
Locks and the other objects are neither copied, nor written away, nor made by hand
--FILE--
<?php
use Safehold\Lock;

$lock = new Lock(__DIR__ . '/lock_object.lock');
$attempts = [
    fn() => clone $lock,
    fn() => serialize($lock),
    fn() => unserialize('O:13:"Safehold\Lock":0:{}'),
    fn() => $lock->more = 1,
    fn() => new Safehold\Holder,
    fn() => new Safehold\Explanation,
    fn() => $lock->holders()[0]->pid = 5,
    fn() => serialize($lock->holders()[0]),
    fn() => (new ReflectionClass(Lock::class))->newInstanceWithoutConstructor(),
];
foreach ($attempts as $attempt)
    try {
        $made = $attempt();
        echo "done\n";
    } catch (Throwable $e) {
        echo get_class($e), ': ', $e->getMessage(), "\n";
    }
var_dump((new Safehold\TimeoutException('mine', 3))->getSafeCode(), (new Safehold\TimeoutException)->getHolders());
var_dump((new Safehold\Exception)->getIndex(), (new Safehold\TimeoutException)->getHolderPid());
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_object.lock'); ?>
--EXPECT--
Error: Trying to clone an uncloneable object of class Safehold\Lock
Exception: Serialization of 'Safehold\Lock' is not allowed
Exception: Unserialization of 'Safehold\Lock' is not allowed
Error: Cannot create dynamic property Safehold\Lock::$more
Error: Call to private Safehold\Holder::__construct() from global scope
Error: Call to private Safehold\Explanation::__construct() from global scope
Error: Cannot modify readonly property Safehold\Holder::$pid
Exception: Serialization of 'Safehold\Holder' is not allowed
ReflectionException: Class Safehold\Lock is an internal class marked as final that cannot be instantiated without invoking its constructor
string(0) ""
array(0) {
}
int(-1)
NULL
