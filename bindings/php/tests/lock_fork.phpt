--TEST--
A forked child owns nothing: it says so, and neither its end nor its attempts give the parent's lock back
--EXTENSIONS--
pcntl
posix
--FILE--
<?php
use Safehold\Lock;

$path = __DIR__ . '/lock_fork.lock';
$lock = new Lock($path);
$stream = fopen($path . '2', 'c');
$second = new Lock($stream);
$pid = pcntl_fork();
if ($pid === 0) {
    var_dump($lock->isHeld());
    foreach ([$lock, $second] as $mine) {
        try {
            $mine->convert(Lock::SHARED);
        } catch (Safehold\OwnerException $e) {
            echo $e->getSafeCode(), ': ', $e->getMessage(), "\n";
        }
        try {
            $mine->release();
        } catch (Safehold\OwnerException $e) {
            echo $e->getMessage(), "\n";
        }
    }
    exit;
}
pcntl_waitpid($pid, $status);
var_dump(pcntl_wexitstatus($status), $lock->isHeld(), $second->isHeld());
var_dump(Lock::try($path), Lock::try($path . '2'));

// What the parent gives back is free although a child lives.
$pid = pcntl_fork();
if ($pid === 0) {
    sleep(30);
    exit;
}
$lock->release();
$second->release();
var_dump(Lock::try($path)?->isHeld(), Lock::try($path . '2')?->isHeld());
posix_kill($pid, SIGKILL);
pcntl_waitpid($pid, $status);
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_fork.lock'); @unlink(__DIR__ . '/lock_fork.lock2'); ?>
--EXPECT--
bool(false)
SAFE_EOWNER: This lock belongs to the process that this one was forked from.
This lock belongs to the process that this one was forked from.
SAFE_EOWNER: This lock belongs to the process that this one was forked from.
This lock belongs to the process that this one was forked from.
int(0)
bool(true)
bool(true)
NULL
NULL
bool(true)
bool(true)
