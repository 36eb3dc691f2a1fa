--TEST--
system, passthru: output callbacks that throw, exit or fail leave neither process nor descriptor behind
--EXTENSIONS--
safehold
--INI--
safehold.replace=exec,system,passthru,shell_exec
--SKIPIF--
<?php if (!is_dir('/proc/self/fd')) die('skip needs /proc'); ?>
--FILE--
<?php
function left(): string {
  clearstatcache();
  $children = trim(file_get_contents('/proc/self/task/' . getmypid() . '/children'));
  $fds = array_filter(scandir('/proc/self/fd'), fn($n) => @is_link("/proc/self/fd/$n") && str_contains(@readlink("/proc/self/fd/$n"), 'pipe'));
  return count($fds) . " pipes, children: '$children'";
}
$before = left();

/* An exception does not end the command, as with PHP's own functions. */
$said = __DIR__ . '/exec_ended.said';
@unlink($said);
try {
  ob_start(function ($bytes, $phase) { if ($phase & PHP_OUTPUT_HANDLER_FINAL) return ''; throw new Exception('by the callback'); }, 2);
  system("echo one; echo two; echo end > '$said'", $code);
} catch (Exception $thrown) {
  ob_end_clean();
  echo get_class($thrown), ': ', $thrown->getMessage(), ', ', var_export($code, true), ', ', file_get_contents($said);
}
echo left() === $before ? "nothing left\n" : left();

$php = getenv('TEST_PHP_EXECUTABLE') . ' ' . getenv('TEST_PHP_EXTRA_ARGS');
$inner = __DIR__ . '/exec_ended_inner.php';
file_put_contents($inner, '<?php
function left() {
  return trim(file_get_contents("/proc/self/task/" . getmypid() . "/children"));
}
$how = $argv[1];
ob_start(function ($bytes) use ($how) {
  if ($how == "exit") exit(3);
  if ($how == "fatal") no_such_function();
  if ($how == "memory") str_repeat("x", 1 << 30);
  return $bytes;
}, 2);
passthru("echo $$ > " . $argv[2] . "; echo one; echo two; exec sleep 0.5");
');
foreach (['exit', 'fatal', 'memory'] as $how) {
  file_put_contents($said, '');
  $output = shell_exec("$php -d safehold.replace=passthru -d safehold.exec_timeout=20 '$inner' $how '$said' 2>&1");
  $pid = (int)file_get_contents($said);
  echo $how, $pid > 0 && !file_exists("/proc/$pid") ? ": gone\n" : ": $pid left: $output\n";
}
/* A bound on that too. */
file_put_contents($inner, str_replace('sleep 0.5', 'sleep 60', file_get_contents($inner)));
$began = microtime(true);
shell_exec("$php -d safehold.replace=passthru -d safehold.exec_timeout=0.5 -d safehold.stop_grace=0.2 '$inner' memory '$said' 2>&1");
$pid = (int)file_get_contents($said);
var_dump($pid > 0 && !file_exists("/proc/$pid"), microtime(true) - $began < 20);
echo left() === $before ? "nothing left\n" : left();
?>
--CLEAN--
<?php
@unlink(__DIR__ . '/exec_ended.said');
@unlink(__DIR__ . '/exec_ended_inner.php');
?>
--EXPECT--
one
two
Exception: by the callback, 0, end
nothing left
exit: gone
fatal: gone
memory: gone
bool(true)
bool(true)
nothing left
