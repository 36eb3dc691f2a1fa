--TEST--
Safehold\Process: a wait ends in time and says what the child does; communicating goes on after it
--EXTENSIONS--
safehold
--INI--
safehold.stop_grace=0.2
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip what a child does is told on Linux'); ?>
--FILE--
<?php
use Safehold\Process;
use Safehold\StopReport;
use Safehold\TimeoutException;

$process = new Process(['sleep', '60']);
foreach ([0, 0.3] as $timeout) {
  try {
    $process->wait($timeout);
  } catch (TimeoutException $late) {
    echo $late->getSafeCode(), ' ', preg_replace('/\d+/', 'N', $late->getMessage()), "\n";
  }
}
var_dump($process->isRunning(), $process->signal(0));
$report = $process->stop();
var_dump($report->verdict === StopReport::POLITE, $report->status->signal, $report->left, (string)$report);
var_dump($process->signal(15), (string)$process->wait());

$stubborn = new Process('trap "" TERM; echo ready; sleep 60; sleep 60', stdout: 'pipe');
fgets($stubborn->pipe(1));
var_dump($stubborn->stop(0.1)->verdict === StopReport::FORCED);

/* 4 MB are more than the pipes hold, and the child does not read before its time. */
$input = str_repeat('x', 4 << 20);
$slow = new Process('echo begun; read go <&3; cat | wc -c', stdin: 'pipe', stdout: 'pipe',
                    descriptors: [3 => $gate = popen('sleep 1; echo go', 'r')]);
try {
  $slow->communicate($input, 0.2);
} catch (TimeoutException $late) {
  echo get_class($late), ' ', $slow->output()->stdout;
  var_dump($slow->output()->status);
}
$output = $slow->communicate(timeout: 30);
echo preg_replace('/ +/', '', $output->stdout);
var_dump($output->status->success());
try {
  $slow->communicate('more');
} catch (ValueError $error) {
  echo $error->getMessage(), "\n";
}
try {
  Process::run('sleep 60', timeout: 0.2);
} catch (TimeoutException $late) {
  echo "run: in time\n";
}
/* After the child's end a daemon may keep its output. */
$began = microtime(true);
$output = Process::run('sleep 60 & echo parent', timeout: 20);
var_dump($output->stdout, $output->heldOpen, microtime(true) - $began < 15);
?>
--EXPECTF--
SAFE_ETIMEDOUT %s
SAFE_ETIMEDOUT %s
bool(true)
bool(true)
bool(true)
int(15)
array(0) {
}
string(22) "it ended when asked to"
bool(false)
string(9) "signal 15"
bool(true)
Safehold\TimeoutException begun
NULL
begun
4194304
bool(true)
Safehold\Process::communicate(): Argument #1 ($input) must be empty, as the child's stdin was closed after the input of an earlier call
run: in time
string(7) "parent
"
bool(true)
bool(true)
