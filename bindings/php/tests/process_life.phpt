--TEST--
Safehold\Process: freed, forked, detached, cloned
--EXTENSIONS--
safehold
pcntl
--INI--
safehold.stop_grace=0.5
--SKIPIF--
<?php if (!is_dir('/proc/self/fd')) die('skip needs /proc'); ?>
--FILE--
<?php
use Safehold\Process;

/* Who inherits an orphan may not have collected it yet. */
function runs(int $pid): bool {
  return (bool)preg_match('/^\d+ \(.*\) [^ZX]/', (string)@file_get_contents("/proc/$pid/stat"));
}
function children(): string {
  return trim(file_get_contents('/proc/self/task/' . getmypid() . '/children'));
}

$process = new Process(['sleep', '60']);
$pid = $process->pid();
var_dump(runs($pid));
unset($process);
var_dump(runs($pid), children());

$process = new Process(['sleep', '60']);
$pid = $process->pid();
$process->detach();
unset($process);
var_dump(runs($pid));
exec("kill -9 $pid");
while (runs($pid)) usleep(1000);

/* A forked copy owns nothing. */
$process = new Process(['sleep', '60']);
$pid = $process->pid();
$child = pcntl_fork();
if ($child === 0) {
  foreach (['wait', 'stop', 'communicate', 'isRunning'] as $method) {
    try {
      $process->$method();
      echo "$method did something\n";
    } catch (Safehold\OwnerException $error) {
      echo "$method: not the owner\n";
    }
  }
  unset($process);
  exit(0);
}
pcntl_waitpid($child, $status);
var_dump(runs($pid), $process->isRunning());
$process->stop();

try { clone $process; } catch (Error $error) { echo $error->getMessage(), "\n"; }
try { serialize($process); } catch (Exception $error) { echo $error->getMessage(), "\n"; }
try { $process->__construct(['true']); } catch (Error $error) { echo $error->getMessage(), "\n"; }
try { (new ReflectionClass(Process::class))->newInstanceWithoutConstructor()->wait(); } catch (Throwable $error) { echo get_class($error), "\n"; }

/* The request's end. */
$php = getenv('TEST_PHP_EXECUTABLE') . ' ' . getenv('TEST_PHP_EXTRA_ARGS');
foreach (['exit(0);', 'no_such_function();', 'str_repeat("x", 1 << 30);', ''] as $end) {
  $code = '$p = new Safehold\Process(["sleep", "60"]); echo $p->pid(), "\n"; ' . $end;
  $pid = (int)shell_exec("$php -d safehold.stop_grace=0.5 -r " . escapeshellarg($code));
  var_dump($pid > 0 && !runs($pid));
}
/* Nothing is left of a hundred. */
unset($process, $error);
Process::run(['true']); /* collects the detached one */
$before = count(scandir('/proc/self/fd'));
for ($n = 0; $n < 100; $n++) {
  $many[] = new Process('exec cat', stdin: 'pipe', stdout: 'pipe', stderr: 'pipe');
  if ($n % 2) $many[$n]->pipe(1);
}
foreach ($many as $one) $one->stop(0);
unset($process, $many, $one);
var_dump(children(), count(scandir('/proc/self/fd')) - $before);
?>
--EXPECT--
bool(true)
bool(false)
string(0) ""
bool(true)
wait: not the owner
stop: not the owner
communicate: not the owner
isRunning: not the owner
bool(true)
bool(true)
Trying to clone an uncloneable object of class Safehold\Process
Serialization of 'Safehold\Process' is not allowed
The process has been started already
ReflectionException
bool(true)
bool(true)
bool(true)
bool(true)
string(0) ""
int(0)
