--TEST--
Sessions: a forked child owns nothing; it ends without writing, and the parent's end frees the session at once
--EXTENSIONS--
session
pcntl
--INI--
safehold.replace=session
safehold.lock_timeout=60
session.use_cookies=0
session.cache_limiter=
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip needs /proc'); ?>
--FILE--
<?php
ob_start();
require __DIR__ . '/other.inc';
$folder = __DIR__ . '/session_fork.d';
mkdir($folder);
session_save_path($folder);
$path = "$folder/sess_one";
function in_child(callable $do): void
{
    ob_flush();
    $child = pcntl_fork();
    if ($child === 0) {
        $do();
        exit(0);
    }
    pcntl_waitpid($child, $status);
    echo $status, ' ', session_encode(), "\n";
}
$is_locked = function () use ($path): string {
    exec('flock -n ' . escapeshellarg($path) . ' true', $none, $code);
    return $code ? 'locked' : 'free';
};
session_id('one');
session_start();
$_SESSION['v'] = 1;
session_write_close();
session_start();
in_child(function () {});
in_child(function () { $_SESSION['v'] = 'of the child, and longer'; });
in_child(function () { var_dump(@session_destroy()); });
in_child(function () { session_abort(); });
echo file_get_contents($path), ' ', $is_locked(), "\n";

echo "-- with the child alive\n";
ob_flush();
pcntl_async_signals(true);
$child = pcntl_fork();
if ($child === 0) {
    sleep(60);
    exit(0);
}
$_SESSION['v'] = 2;
session_write_close();
echo file_get_contents($path), ' ', $is_locked(), "\n";
exec("kill -9 $child");
pcntl_waitpid($child, $status);

echo "-- children of PHP's own functions\n";
session_start();
echo trim(shell_exec('ls -l /proc/self/fd | grep -c sess_')), "\n";
var_dump(session_write_close());
?>
--CLEAN--
<?php
array_map('unlink', glob(__DIR__ . '/session_fork.d/*'));
@rmdir(__DIR__ . '/session_fork.d');
?>
--EXPECTF--
0 v|i:1;

Warning: PHP Request Shutdown: The session belongs to the process that this one was forked from: nothing is written. Call session_abort() in the child in %s on line %d
0 v|i:1;
bool(false)
0 v|i:1;
0 v|i:1;
v|i:1; locked
-- with the child alive
v|i:2; free
-- children of PHP's own functions
0
bool(true)
