--TEST--
Sessions: a handler of errors that ends the session, or asks its functions, while it is opened
--EXTENSIONS--
session
--INI--
session.use_cookies=0
session.cache_limiter=
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip the messages are those of POSIX'); ?>
--FILE--
<?php
ob_start();
session_module_name('safehold');
$try = function (string $id, string $path, callable $ask) {
    set_error_handler(function ($level, $message) use ($ask) {
        echo str_replace(__DIR__, 'FOLDER', $message), "\n";
        restore_error_handler();
        @$ask();
    });
    session_save_path($path);
    session_id($id);
    var_dump(@session_start());
};
foreach (['session_abort', 'session_write_close', 'session_destroy'] as $end) $try('one', __DIR__ . '/none', $end);
$try('one', '99999999999999999999;none', function () {
    var_dump(strlen(session_create_id()), session_destroy());
});
?>
--EXPECT--
session_start(): open(FOLDER/none/sess_one, O_RDWR) failed: No such file or directory (2)
bool(false)
session_start(): open(FOLDER/none/sess_one, O_RDWR) failed: No such file or directory (2)
bool(false)
session_start(): open(FOLDER/none/sess_one, O_RDWR) failed: No such file or directory (2)
bool(false)
The first parameter in session.save_path is invalid
int(32)
bool(false)
bool(false)
