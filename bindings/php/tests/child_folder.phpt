--TEST--
Children, programs and files are meant from the script's own folder, which a thread-safe PHP keeps itself
--EXTENSIONS--
safehold
--INI--
safehold.replace=all
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs a POSIX shell'); ?>
--FILE--
<?php
use Safehold\{Lock, Process};

$folder = __DIR__ . '/child_folder.d';
mkdir("$folder/inner", 0777, true);
file_put_contents("$folder/program", "#!/bin/sh\npwd\n");
chmod("$folder/program", 0755);
symlink('../program', "$folder/inner/program");
chdir($folder);
$show = function (string $text) use ($folder) {
    echo str_replace($folder, 'FOLDER', $text);
};
$opened = function ($command, ?string $cwd = null): string {
    proc_close(proc_open($command, [1 => ['file', 'out', 'w']], $pipes, $cwd));
    return file_get_contents('out');
};
$show(shell_exec('pwd') . shell_exec('./program'));
$pipe = popen('pwd', 'r');
$show(fgets($pipe));
pclose($pipe);
$show($opened('pwd') . $opened(['./program']) . $opened('pwd', 'inner') . $opened(['./program'], 'inner'));
$show($opened('pwd', '/') . $opened(["$folder/program"], '/'));
$show(Process::run('pwd')->stdout . Process::run(['./program'])->stdout . Process::run(['./program'], cwd: 'inner')->stdout);
Process::run('pwd', cwd: '/', stdout: ['file', 'file', 'w']);
$lock = new Lock('lock');
var_dump(file_get_contents("$folder/file"), file_exists("$folder/lock"));
?>
--CLEAN--
<?php
$folder = __DIR__ . '/child_folder.d';
array_map('unlink', array_filter(glob("$folder/*"), 'is_file'));
@unlink("$folder/inner/program");
@rmdir("$folder/inner");
@rmdir($folder);
?>
--EXPECT--
FOLDER
FOLDER
FOLDER
FOLDER
FOLDER
FOLDER/inner
FOLDER/inner
/
/
FOLDER
FOLDER
FOLDER/inner
string(2) "/
"
bool(true)
