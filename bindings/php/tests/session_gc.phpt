--TEST--
Sessions: garbage collection leaves those alone that are in use, and looks at the age again
--EXTENSIONS--
session
--INI--
safehold.replace=session
safehold.lock_timeout=60
session.use_cookies=0
session.cache_limiter=
session.gc_probability=0
session.gc_maxlifetime=1000
--FILE--
<?php
ob_start();
require __DIR__ . '/other.inc';
$folder = __DIR__ . '/session_gc.d';
mkdir($folder);
session_save_path($folder);
$make = function (string $name, int $age) use ($folder) {
    file_put_contents("$folder/$name", "v|i:1;");
    touch("$folder/$name", time() - $age);
};
foreach (['files', 'safehold'] as $handler) {
    session_module_name($handler);
    array_map($make, ['sess_old', 'sess_young', 'sess_used', 'sess_stock', 'other_old'], [2000, 500, 2000, 2000, 2000]);
    symlink('other_old', "$folder/sess_link");
    mkdir("$folder/sess_folder");
    touch("$folder/sess_folder", time() - 2000);
    $stock = Other::locks("$folder/sess_stock");
    session_id('used');
    session_start();
    var_dump(session_gc());
    echo implode(' ', array_diff(scandir($folder), ['.', '..'])), "\n";
    $stock->finish();
    session_write_close();
    var_dump(file_get_contents("$folder/sess_used"));
    session_start(); // it is young now
    var_dump(session_gc());
    echo implode(' ', array_diff(scandir($folder), ['.', '..'])), "\n";
    session_destroy();
    rmdir("$folder/sess_folder");
    array_map('unlink', glob("$folder/*"));
}
session_save_path("$folder/none");
session_id('used');
var_dump(@session_start(), @session_gc());
session_save_path("1;$folder");
mkdir("$folder/u");
session_id('used');
session_start();
var_dump(session_gc(), file_exists("$folder/u/sess_used"));
session_destroy();
rmdir("$folder/u");
?>
--CLEAN--
<?php
array_map('unlink', glob(__DIR__ . '/session_gc.d/*'));
@rmdir(__DIR__ . '/session_gc.d');
?>
--EXPECT--
int(1)
other_old sess_folder sess_link sess_stock sess_used sess_young
string(6) "v|i:1;"
int(1)
other_old sess_folder sess_link sess_used sess_young
int(1)
other_old sess_folder sess_link sess_stock sess_used sess_young
string(6) "v|i:1;"
int(1)
other_old sess_folder sess_link sess_used sess_young
bool(false)
bool(false)
bool(false)
bool(true)
