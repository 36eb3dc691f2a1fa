--TEST--
Safehold\Lock: a symbolic link at the end of the path is refused unless that is asked for; on the way it is followed
--EXTENSIONS--
safehold
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs symbolic links'); ?>
--FILE--
<?php
use Safehold\Lock;

$folder = __DIR__ . '/lock_link.d';
mkdir("$folder/inner", 0777, true);
touch("$folder/inner/file");
symlink('inner/file', "$folder/link");
symlink('inner', "$folder/way");
symlink('nowhere', "$folder/dangling");
chdir("$folder/inner");
$try = function (string $path, int $flags = Lock::CREATE) {
    try {
        $lock = new Lock($path, flags: $flags);
        echo $path[0] === '/' ? 'absolute' : $path, ': ', count(Lock::holdersOf($path)) > 0 ? 'held' : 'not seen', "\n";
    } catch (Safehold\PathException $e) {
        echo $path[0] === '/' ? 'absolute' : $path, ': ', $e->getSafeCode(), "\n";
    }
};
$try("$folder/link");
$try('../link');
$try('../dangling');
$try('../link', Lock::FOLLOW_SYMLINKS);
$try('file');
$try('./file');
$try("$folder/way/file");
$try('../way/../way/file');
$try('..');
$try("$folder/way/");
var_dump(file_exists("$folder/nowhere"));
?>
--CLEAN--
<?php
$folder = __DIR__ . '/lock_link.d';
foreach (['inner/file', 'link', 'way', 'dangling', 'nowhere'] as $name) @unlink("$folder/$name");
@rmdir("$folder/inner");
@rmdir($folder);
?>
--EXPECT--
absolute: SAFE_ESYMLINK
../link: SAFE_ESYMLINK
../dangling: SAFE_ESYMLINK
../link: held
file: held
./file: held
absolute: held
../way/../way/file: held
..: SAFE_EISDIR
absolute: SAFE_EISDIR
bool(false)
