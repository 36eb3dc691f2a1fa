--TEST--
opcache, its JIT and preloading call what was put in place
--SKIPIF--
<?php
if (PHP_OS_FAMILY === 'Windows') die('skip no preloading on Windows');
if (!file_exists(ini_get('extension_dir') . '/opcache.so')) die('skip there is no opcache');
if (getenv('SKIP_ASAN')) die('skip the process that preloads leaves what it has to its end');
?>
--FILE--
<?php
$path = __DIR__ . '/module_opcache.lock';
file_put_contents(__DIR__ . '/module_opcache.preload.inc', '<?php
function locks(string $path): int {
    $count = 0;
    for ($i = 0; $i < 300; $i++) {
        $stream = fopen($path, "c");
        $count += (int)flock($stream, LOCK_EX);
        $count += (int)(new Safehold\Lock($path . "2"))->isHeld();
        fclose($stream);
    }
    return $count;
}');
file_put_contents(__DIR__ . '/module_opcache.run.inc', '<?php
echo locks($argv[1]), "\n";
$other = fopen($argv[1], "c");
flock($other, LOCK_EX);
ini_set("safehold.lock_timeout", "0.2");
var_dump(@flock(fopen($argv[1], "c"), LOCK_EX));
var_dump(opcache_get_status()["preload_statistics"]["functions"], opcache_get_status()["jit"]["on"]);');
$settings = ['extension=' . getenv('SAFEHOLD_TEST_MODULE'), 'zend_extension=opcache', 'opcache.enable_cli=1',
    'opcache.jit=tracing', 'opcache.jit_buffer_size=16M', 'opcache.jit_hot_loop=2', 'opcache.jit_hot_func=2',
    'opcache.preload=' . __DIR__ . '/module_opcache.preload.inc', 'opcache.preload_user=' . get_current_user(),
    'safehold.replace=flock'];
$command = [getenv('TEST_PHP_EXECUTABLE'), '-n'];
foreach ($settings as $setting) array_push($command, '-d', $setting);
$child = proc_open([...$command, __DIR__ . '/module_opcache.run.inc', $path], [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes);
echo stream_get_contents($pipes[1]);
var_dump(proc_close($child));
?>
--CLEAN--
<?php
foreach (['lock', 'lock2', 'preload.inc', 'run.inc'] as $end) @unlink(__DIR__ . "/module_opcache.$end");
?>
--EXPECT--
600
bool(false)
array(1) {
  [0]=>
  string(5) "locks"
}
bool(true)
int(0)
