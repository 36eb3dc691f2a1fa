--TEST--
Sessions: a relative save_path is meant from the script's own folder
--EXTENSIONS--
session
--INI--
safehold.replace=session
session.use_cookies=0
session.cache_limiter=
session.gc_probability=0
session.gc_maxlifetime=1000
--FILE--
<?php
ob_start();
$folder = __DIR__ . '/session_folder.d';
mkdir("$folder/inner/1", 0777, true);
chdir($folder);
foreach (['files', 'safehold'] as $handler) {
    session_module_name($handler);
    foreach (['inner' => 'inner', '1;./inner' => 'inner/1'] as $path => $place) {
        session_save_path($path);
        session_id('1d');
        var_dump(session_start(), file_exists("$folder/$place/sess_1d"));
        $_SESSION['v'] = 1;
        session_write_close();
        session_start();
        var_dump($_SESSION['v']);
        touch("$folder/$place/sess_old", time() - 2000);
        var_dump(session_gc(), file_exists("$folder/$place/sess_old"));
        session_destroy();
        var_dump(file_exists("$folder/$place/sess_1d"));
        @unlink("$folder/$place/sess_old");
    }
}
?>
--CLEAN--
<?php
$folder = __DIR__ . '/session_folder.d';
array_map('unlink', array_merge(glob("$folder/inner/sess_*"), glob("$folder/inner/1/sess_*")));
@rmdir("$folder/inner/1");
@rmdir("$folder/inner");
@rmdir($folder);
?>
--EXPECT--
bool(true)
bool(true)
int(1)
int(1)
bool(false)
bool(false)
bool(true)
bool(true)
int(1)
bool(false)
bool(true)
bool(false)
bool(true)
bool(true)
int(1)
int(1)
bool(false)
bool(false)
bool(true)
bool(true)
int(1)
bool(false)
bool(true)
bool(false)
