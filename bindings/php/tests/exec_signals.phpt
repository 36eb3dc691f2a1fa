--TEST--
exec and friends: signal handlers run while a command runs; one that throws or exits ends the command
--EXTENSIONS--
safehold
pcntl
--INI--
safehold.replace=exec,system,passthru,shell_exec
safehold.stop_grace=0.2
--FILE--
<?php
pcntl_async_signals(true);
$seen = 0;
pcntl_signal(SIGUSR1, function () use (&$seen) { $seen++; });
$me = getmypid();
/* While it waits for output, and while it waits for the end. */
var_dump(exec("kill -USR1 $me; sleep 0.3; echo went on", $lines, $code), $code, $seen);
exec("exec >/dev/null; sleep 0.2; kill -USR1 $me; sleep 0.3", $none, $code);
var_dump($code, $seen);

pcntl_signal(SIGUSR1, function () { throw new Exception('enough'); });
$began = microtime(true);
$lines = [];
try {
  exec("echo \$\$; kill -USR1 $me; sleep 60", $lines, $code);
} catch (Exception $thrown) {
  echo $thrown->getMessage(), ', ', $code, ', ', count($lines), "\n";
}
var_dump(microtime(true) - $began < 20, file_exists("/proc/$lines[0]"));

/* A handler that makes something else of the variable. */
pcntl_signal(SIGUSR1, function () use (&$lines) { $lines = 'taken'; });
$lines = [];
exec("echo lost; kill -USR1 $me; sleep 0.3", $lines, $code);
var_dump($lines, $code);

/* A forked child owns nothing: neither does it end the command, nor wait for it. */
$file = __DIR__ . '/exec_signals.said';
pcntl_signal(SIGUSR1, function () use ($file) {
  if (pcntl_fork() == 0) {
    file_put_contents($file, 'forked');
    exit(0);
  }
});
exec("kill -USR1 $me; sleep 0.5; echo whole", $whole, $code);
pcntl_wait($status);
var_dump($whole, $code, pcntl_wexitstatus($status), file_get_contents($file));

pcntl_signal(SIGCHLD, SIG_IGN);
exec('exit 6', $none, $code);
var_dump($code === 6 || $code === -1); /* which depends on the kernel */
pcntl_signal(SIGUSR1, function () { echo "bye\n"; exit(0); });
register_shutdown_function(function () { echo "shutdown\n"; });
passthru("kill -USR1 $me; sleep 60");
echo "not reached\n";
?>
--CLEAN--
<?php @unlink(__DIR__ . '/exec_signals.said'); ?>
--EXPECT--
string(7) "went on"
int(0)
int(1)
int(0)
int(2)
enough, -1, 1
bool(true)
bool(false)
string(5) "taken"
int(0)
array(1) {
  [0]=>
  string(5) "whole"
}
int(0)
int(0)
string(6) "forked"
bool(true)
bye
shutdown
