--TEST--
Many requests of one session, and of one file, exclude each other, and none is refused
--EXTENSIONS--
session
pcntl
--INI--
safehold.replace=flock,session
safehold.lock_timeout=60
session.use_cookies=0
session.cache_limiter=
--FILE--
<?php
ob_start();
require __DIR__ . '/other.inc';
$folder = __DIR__ . '/session_contended.d';
mkdir($folder);
session_save_path($folder);
set_error_handler(function ($level, $message) {
    echo "$message\n";
    return true;
});
function use_session(): void
{
    session_id('one');
    session_start();
    $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
    if ($_SESSION['n'] % 8 === 0) usleep(11000); // longer than what is waited for before the look who has it
    session_write_close();
}
function use_file(string $path): void
{
    $file = fopen($path, 'c+');
    if (!flock($file, LOCK_EX)) return;
    $count = (int)fgets($file);
    rewind($file);
    fwrite($file, $count + 1);
    fflush($file);
    if ($count % 8 === 0) usleep(11000);
}

const PROCESSES = 8, TURNS = 40;
ob_flush();
$children = [];
while (count($children) < PROCESSES) {
    $child = pcntl_fork();
    if ($child === 0) {
        for ($turn = 0; $turn < TURNS; $turn++) {
            use_session();
            use_file("$folder/counter");
        }
        exit(0);
    }
    $children[] = $child;
}
foreach ($children as $child) {
    pcntl_waitpid($child, $status);
    if ($status !== 0) echo "a child ended with $status\n";
}
echo file_get_contents("$folder/sess_one"), ' ', file_get_contents("$folder/counter"), "\n";
?>
--CLEAN--
<?php
array_map('unlink', glob(__DIR__ . '/session_contended.d/*'));
@rmdir(__DIR__ . '/session_contended.d');
?>
--EXPECT--
n|i:320; 320
