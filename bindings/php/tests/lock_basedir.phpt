--TEST--
open_basedir holds for locks and for questions
--INI--
open_basedir=.
--FILE--
<?php
use Safehold\Lock;

$attempts = [
    fn() => new Lock('/tmp/lock_basedir.lock'),
    fn() => Lock::holdersOf('/etc/passwd'),
    fn() => Safehold\why('/etc/passwd'),
    fn() => new Lock('../../lock_basedir.lock'),
    fn() => Safehold\why(1),
    fn() => Safehold\leaks(1),
];
foreach ($attempts as $attempt)
    try {
        $attempt();
        echo "done\n";
    } catch (Safehold\PathException $e) {
        echo $e->getSafeCode(), ': ', $e->getMessage(), "\n";
    }
chdir(__DIR__);
var_dump(Safehold\why(getmypid())->file, Safehold\leaks(getmypid()) == Safehold\leaks());
var_dump((new Lock('lock_basedir.lock'))->isHeld());
var_dump(file_exists(__DIR__ . '/lock_basedir.lock'));
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_basedir.lock'); ?>
--EXPECT--
SAFE_EACCES: open_basedir does not allow "/tmp/lock_basedir.lock".
SAFE_EACCES: open_basedir does not allow "/etc/passwd".
SAFE_EACCES: open_basedir does not allow "/etc/passwd".
SAFE_EACCES: open_basedir does not allow "../../lock_basedir.lock".
SAFE_EACCES: open_basedir does not allow a look at other processes.
SAFE_EACCES: open_basedir does not allow a look at other processes.
NULL
bool(true)
bool(true)
bool(true)
