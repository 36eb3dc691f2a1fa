--TEST--
A handler of signals that ends the request with a fatal error during a wait leaves no lock and no request behind
--EXTENSIONS--
pcntl
--INI--
safehold.replace=flock,session
safehold.lock_timeout=60
error_reporting=24575
session.use_cookies=0
session.cache_limiter=
--FILE--
<?php
require __DIR__ . '/other.inc';
$path = __DIR__ . '/wait_handler_ends.lock';
$folder = __DIR__ . '/wait_handler_ends.d';
mkdir($folder);
session_save_path($folder);
pcntl_async_signals(true);

function ends(callable $wait, Other $other): void
{
    $child = pcntl_fork();
    if ($child === 0) {
        pcntl_signal(SIGUSR1, function () { trigger_error('fatal', E_USER_ERROR); });
        $signal = signal_later(SIGUSR1, 0.2);
        $wait();
        echo "not reached\n";
        exit(0);
    }
    pcntl_waitpid($child, $status);
    var_dump(pcntl_wexitstatus($status));
    $other->finish();
}

ends(function () use ($path) { flock(fopen($path, 'c+'), LOCK_EX); }, Other::locks($path));
file_put_contents("$folder/sess_one", 'kept|i:1;');
ends(function () {
    session_id('one');
    session_start();
}, Other::locks("$folder/sess_one"));
var_dump(file_get_contents("$folder/sess_one")); // PHP ends a request with writing its session: it had not read this one
var_dump(flock(fopen($path, 'c+'), LOCK_EX | LOCK_NB), flock(fopen("$folder/sess_one", 'c+'), LOCK_EX | LOCK_NB));
?>
--CLEAN--
<?php
@unlink(__DIR__ . '/wait_handler_ends.lock');
array_map('unlink', glob(__DIR__ . '/wait_handler_ends.d/*'));
@rmdir(__DIR__ . '/wait_handler_ends.d');
?>
--EXPECTF--

Fatal error: fatal in %s on line %d
int(255)

Fatal error: fatal in %s on line %d
int(255)
string(9) "kept|i:1;"
bool(true)
bool(true)
