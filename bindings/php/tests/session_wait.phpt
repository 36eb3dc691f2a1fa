--TEST--
session_start: signals and max_execution_time during the wait; a script that has the file itself is told at once
--EXTENSIONS--
session
pcntl
--INI--
safehold.replace=flock,session
safehold.lock_timeout=60
session.use_cookies=0
session.cache_limiter=
--SKIPIF--
<?php
if (PHP_OS_FAMILY !== 'Linux') die('skip the holder is known on Linux');
if (PHP_ZTS) die('skip another thread could give it back');
?>
--FILE--
<?php
ob_start();
require __DIR__ . '/other.inc';
$folder = __DIR__ . '/session_wait.d';
mkdir($folder);
session_save_path($folder);
file_put_contents("$folder/sess_one", 'v|i:1;');
$other = new Other('');
set_error_handler(function ($level, $message) use ($folder, &$other) {
    echo plain($message, $folder, $other), "\n";
});

$file = fopen("$folder/sess_one", 'r');
flock($file, LOCK_SH);
session_id('one');
took(0, function () {
    var_dump(session_start());
});
fclose($file);

$other = Other::locks("$folder/sess_one");
pcntl_async_signals(true);
echo "-- signals\n";
pcntl_signal(SIGUSR1, function () { echo "handled\n"; });
pcntl_signal(SIGUSR2, function () { throw new Exception('thrown'); });
pcntl_signal(SIGALRM, function () { echo "not the end of it\n"; });
pcntl_alarm(2);
$children = [signal_later(SIGUSR1, 0.3), signal_later(SIGUSR2, 4)];
try {
    session_id('one');
    session_start();
    echo "not reached\n";
} catch (Exception $e) {
    echo $e->getMessage(), "\n";
}
echo "-- a handler that ends the session\n";
pcntl_signal(SIGUSR1, function () {
    var_dump(session_status() === PHP_SESSION_ACTIVE, session_write_close());
});
$children[] = signal_later(SIGUSR1, 0.3);
session_id('one');
var_dump(session_start(), session_status() === PHP_SESSION_ACTIVE);
$other->finish();
session_id('one');
var_dump(session_start(), $_SESSION['v']);
session_write_close();

echo "-- max_execution_time\n";
$other = Other::locks("$folder/sess_one");
register_shutdown_function(function () use ($other, $folder) {
    $other->finish();
    register_shutdown_function(function () use ($folder) {
        session_abort();
        echo file_get_contents("$folder/sess_one"), "\n";
    });
});
set_time_limit(1);
session_id('one');
session_start();
echo "not reached\n";
?>
--CLEAN--
<?php
array_map('unlink', glob(__DIR__ . '/session_wait.d/*'));
@rmdir(__DIR__ . '/session_wait.d');
?>
--EXPECTF--
session_start(): FOLDER/sess_one: This script has a lock on the file already, and would wait for itself.
session_start(): Failed to read session data: files (path: FOLDER)
bool(false)
in time
-- signals
handled
not the end of it
thrown
-- a handler that ends the session
session_write_close(): Failed to write session data (files). Please verify that the current setting of session.save_path is correct (FOLDER)
bool(true)
bool(true)
session_start(): Failed to read session data: files (path: FOLDER)
bool(false)
bool(false)
bool(true)
int(1)
-- max_execution_time
session_start(): FOLDER/sess_one: The file is still locked by somebody else after N ms (asked: exclusive). Held by the other.

Fatal error: Maximum execution time of 1 second exceeded in %s on line %d
v|i:1;
