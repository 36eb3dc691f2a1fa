--TEST--
Handlers of signals run during a wait for a lock; one that throws ends it; max_execution_time ends it
--EXTENSIONS--
pcntl
--FILE--
<?php
use Safehold\Lock;

$path = __DIR__ . '/lock_signal.lock';
$child = proc_open(['sh', '-c', 'exec 9>"$0"; flock 9; echo locked; read line', $path],
    [['pipe', 'r'], ['pipe', 'w']], $pipes);
fgets($pipes[1]);

pcntl_async_signals(true);
pcntl_signal(SIGALRM, function () {
    echo "handled\n";
});
pcntl_alarm(1);
var_dump(Lock::try($path, timeout: 2.5));

pcntl_signal(SIGALRM, function () {
    throw new Exception('from the handler');
});
pcntl_alarm(1);
try {
    new Lock($path, timeout: 60);
} catch (Exception $e) {
    echo $e->getMessage(), "\n";
}
register_shutdown_function(function () use ($pipes, $child) {
    fclose($pipes[0]);
    proc_close($child);
});
set_time_limit(1);
new Lock($path, timeout: 60);
echo "not reached\n";
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_signal.lock'); ?>
--EXPECTF--
handled
NULL
from the handler

Fatal error: Maximum execution time of 1 second exceeded in %s on line %d
