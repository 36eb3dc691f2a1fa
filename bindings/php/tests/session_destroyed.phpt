--TEST--
Sessions: who waits for one that is destroyed gets a new file, and what is written to it is kept
--EXTENSIONS--
session
pcntl
--INI--
safehold.replace=session
safehold.lock_timeout=60
session.use_cookies=0
session.cache_limiter=
--FILE--
<?php
ob_start();
require __DIR__ . '/other.inc';
$folder = __DIR__ . '/session_destroyed.d';
mkdir($folder);
session_save_path($folder);
foreach (['session_destroy', 'unlink'] as $how) {
    $held = 'aaa';
    session_id($held);
    session_start();
    $_SESSION['old'] = 1;
    ob_flush();
    $child = pcntl_fork();
    if ($child === 0) {
        session_abort(); // the parent's
        session_id($held);
        session_start();
        $_SESSION['new'] = 2;
        session_write_close();
        exit(0);
    }
    usleep(400000); // it waits
    $how === 'unlink' ? unlink("$folder/sess_$held") && session_abort() : session_destroy();
    pcntl_waitpid($child, $status);
    var_dump(pcntl_wexitstatus($status), file_get_contents("$folder/sess_$held"));
}
?>
--CLEAN--
<?php
array_map('unlink', glob(__DIR__ . '/session_destroyed.d/*'));
@rmdir(__DIR__ . '/session_destroyed.d');
?>
--EXPECT--
int(0)
string(8) "new|i:2;"
int(0)
string(8) "new|i:2;"
