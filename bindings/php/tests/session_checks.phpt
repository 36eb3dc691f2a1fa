--TEST--
Sessions: the checks of PHP's own handler, read_and_close and lazy_write
--EXTENSIONS--
session
--INI--
safehold.replace=session
safehold.lock_timeout=60
session.use_cookies=0
session.cache_limiter=
session.use_strict_mode=0
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs symbolic links'); ?>
--FILE--
<?php
ob_start();
$folder = __DIR__ . '/session_checks.d';
mkdir($folder);
set_error_handler(function ($level, $message) use ($folder) {
    echo str_replace($folder, 'FOLDER', $message), "\n";
});
$is_locked = function (string $path): string {
    exec('flock -n ' . escapeshellarg($path) . ' true', $none, $code);
    return $code ? 'locked' : 'free';
};
$try = function (string $id, string $path, array $options = []) {
    session_save_path($path);
    session_id($id);
    return session_start($options);
};
foreach (['files', 'safehold'] as $handler) {
    echo "-- $handler\n";
    session_module_name($handler);
    symlink('elsewhere', "$folder/sess_link");
    var_dump($try('link', $folder), file_exists("$folder/elsewhere"));
    mkdir("$folder/sess_folder");
    var_dump($try('folder', $folder));
    var_dump($try('ab', "3;$folder"), $try('one', "x;1777777;$folder"), $try('one', "$folder/none"));
    mkdir("$folder/o/n", 0777, true);
    umask(0);
    var_dump($try('one', "2;640;$folder"), decoct(fileperms("$folder/o/n/sess_one")));
    session_destroy();

    echo "-- read_and_close, lazy_write\n";
    file_put_contents("$folder/sess_one", 'v|i:1;');
    touch("$folder/sess_one", 1000);
    var_dump($try('one', $folder, ['read_and_close' => true]), $_SESSION, $is_locked("$folder/sess_one"));
    clearstatcache();
    var_dump(filemtime("$folder/sess_one"));
    $inode = fileinode("$folder/sess_one");
    var_dump($try('one', $folder), $is_locked("$folder/sess_one"), session_write_close());
    clearstatcache();
    var_dump(filemtime("$folder/sess_one") > 1000, file_get_contents("$folder/sess_one"));
    $try('one', $folder);
    $_SESSION['v'] = 'a longer one';
    session_write_close();
    $try('one', $folder);
    unset($_SESSION['v']);
    session_write_close();
    clearstatcache();
    var_dump(filesize("$folder/sess_one"), fileinode("$folder/sess_one") === $inode);

    echo "-- new ids\n";
    $try('one', $folder);
    $_SESSION['v'] = 2;
    session_regenerate_id(true);
    var_dump(file_exists("$folder/sess_one"), $is_locked("$folder/sess_" . session_id()));
    session_write_close();
    echo file_get_contents("$folder/sess_" . session_id()), "\n";
    ini_set('session.use_strict_mode', '1');
    $try('unknown', $folder);
    var_dump(session_id() !== 'unknown', file_exists("$folder/sess_unknown"));
    session_destroy();
    ini_set('session.use_strict_mode', '0');
    foreach (["$folder/o/n", "$folder/o", "$folder/sess_folder"] as $inner) rmdir($inner);
    array_map('unlink', array_filter(glob("$folder/*"), 'is_file'));
    unlink("$folder/sess_link");
}
?>
--CLEAN--
<?php
array_map('unlink', glob(__DIR__ . '/session_checks.d/*'));
@rmdir(__DIR__ . '/session_checks.d');
?>
--EXPECT--
-- files
session_start(): open(FOLDER/sess_link, O_RDWR) failed: Too many levels of symbolic links (40)
session_start(): Failed to read session data: files (path: FOLDER)
bool(false)
bool(false)
session_start(): open(FOLDER/sess_folder, O_RDWR) failed: Is a directory (21)
session_start(): Failed to read session data: files (path: FOLDER)
bool(false)
session_start(): Failed to create session data file path. Too short session ID, invalid save_path or path length exceeds 4096 characters
session_start(): Failed to read session data: files (path: 3;FOLDER)
The second parameter in session.save_path is invalid
session_start(): Failed to initialize storage module: files (path: x;1777777;FOLDER)
session_start(): open(FOLDER/none/sess_one, O_RDWR) failed: No such file or directory (2)
session_start(): Failed to read session data: files (path: FOLDER/none)
bool(false)
bool(false)
bool(false)
bool(true)
string(6) "100640"
-- read_and_close, lazy_write
bool(true)
array(1) {
  ["v"]=>
  int(1)
}
string(4) "free"
int(1000)
bool(true)
string(6) "locked"
bool(true)
bool(true)
string(6) "v|i:1;"
int(0)
bool(true)
-- new ids
bool(false)
string(6) "locked"
v|i:2;
bool(true)
bool(false)
-- safehold
session_start(): open(FOLDER/sess_link, O_RDWR) failed: Too many levels of symbolic links (40)
session_start(): Failed to read session data: safehold (path: FOLDER)
bool(false)
bool(false)
session_start(): open(FOLDER/sess_folder, O_RDWR) failed: Is a directory (21)
session_start(): Failed to read session data: safehold (path: FOLDER)
bool(false)
session_start(): Failed to create session data file path. Too short session ID, invalid save_path or path length exceeds 4096 characters
session_start(): Failed to read session data: safehold (path: 3;FOLDER)
The second parameter in session.save_path is invalid
session_start(): Failed to initialize storage module: safehold (path: x;1777777;FOLDER)
session_start(): open(FOLDER/none/sess_one, O_RDWR) failed: No such file or directory (2)
session_start(): Failed to read session data: safehold (path: FOLDER/none)
bool(false)
bool(false)
bool(false)
bool(true)
string(6) "100640"
-- read_and_close, lazy_write
bool(true)
array(1) {
  ["v"]=>
  int(1)
}
string(4) "free"
int(1000)
bool(true)
string(6) "locked"
bool(true)
bool(true)
string(6) "v|i:1;"
int(0)
bool(true)
-- new ids
bool(false)
string(6) "locked"
v|i:2;
bool(true)
bool(false)
