--TEST--
A lock does not outlive its request, whether that ends by exit, by an uncaught exception or by a fatal error
--FILE--
<?php
$path = tempnam(sys_get_temp_dir(), 'lock');
$ends = [
    'exit(3);',
    'throw new Exception("no");',
    'ini_set("memory_limit", "4M"); $text = str_repeat("x", 100000000);',
    '$circle = new stdClass; $circle->self = $circle; $circle->lock = $lock; exit;',
    '',
];
foreach ($ends as $end) {
    $code = '$lock = new Safehold\Lock($argv[1]); register_shutdown_function(fn() => print((int)$lock->isHeld())); ' . $end;
    $command = [getenv('TEST_PHP_EXECUTABLE'), '-n', '-d', 'display_errors=0', '-d', 'log_errors=0',
        '-d', 'extension=' . getenv('SAFEHOLD_TEST_MODULE'), '-r', $code, '--', $path];
    $child = proc_open($command, [1 => ['pipe', 'w']], $pipes);
    echo stream_get_contents($pipes[1]);
    proc_close($child);
    var_dump(flock(fopen($path, 'c'), LOCK_EX | LOCK_NB));
}
unlink($path);
?>
--EXPECT--
1bool(true)
1bool(true)
1bool(true)
1bool(true)
1bool(true)
