--TEST--
session_start: waits until safehold.session_lock_timeout and names who has the session; stock PHP beside it
--EXTENSIONS--
session
--INI--
safehold.replace=session
safehold.lock_timeout=60
session.use_cookies=0
session.cache_limiter=
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip the holder is known on Linux'); ?>
--FILE--
<?php
ob_start();
require __DIR__ . '/other.inc';
$folder = __DIR__ . '/session_timeout.d';
mkdir($folder);
session_save_path($folder);
$start = "session_save_path('$folder'); session_id('one'); session_start()";

foreach (['files', 'safehold'] as $handler) {
    echo "-- $handler\n";
    session_module_name($handler);
    $other = new Other($start, '$_SESSION["from"] = "stock"; usleep(200000)');
    set_error_handler(function ($level, $message) use ($other, $folder) {
        if (!(error_reporting() & $level)) return; // @
        echo plain($message, $folder, $other), "\n";
    });
    session_id('one');
    ini_set('safehold.session_lock_timeout', '0.3');
    took(0.3, function () {
        var_dump(session_start());
    });
    ini_set('safehold.session_lock_timeout', '-1');
    ini_set('safehold.lock_timeout', '0.2');
    session_id('one');
    took(0.2, function () {
        var_dump(@session_start());
    });
    ini_set('safehold.lock_timeout', '60');
    $other->release();
    session_id('one');
    took(0.1, function () {
        var_dump(session_start(), $_SESSION['from']);
    });
    $other->finish();
    echo "-- the other way round\n";
    exec('flock -n ' . escapeshellarg("$folder/sess_one") . ' true', $none, $code);
    var_dump($code);
    $_SESSION['from'] = 'safehold';
    session_write_close();
    $other = new Other($start, 'echo $_SESSION["from"], "\n"; session_destroy()');
    echo $other->finish();
    var_dump(file_exists("$folder/sess_one"));
}
?>
--CLEAN--
<?php
array_map('unlink', glob(__DIR__ . '/session_timeout.d/*'));
@rmdir(__DIR__ . '/session_timeout.d');
?>
--EXPECT--
-- files
session_start(): FOLDER/sess_one: The file is still locked by somebody else after N ms (asked: exclusive). Held by the other.
session_start(): Failed to read session data: files (path: FOLDER)
bool(false)
in time
bool(false)
in time
bool(true)
string(5) "stock"
in time
-- the other way round
int(1)
safehold
bool(false)
-- safehold
session_start(): FOLDER/sess_one: The file is still locked by somebody else after N ms (asked: exclusive). Held by the other.
session_start(): Failed to read session data: safehold (path: FOLDER)
bool(false)
in time
bool(false)
in time
bool(true)
string(5) "stock"
in time
-- the other way round
int(1)
safehold
bool(false)
