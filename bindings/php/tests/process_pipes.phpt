--TEST--
Safehold\Process: pipes are streams of PHP's plain kind, for stream_select, stream_set_blocking and the rest
--EXTENSIONS--
safehold
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs a POSIX shell'); ?>
--FILE--
<?php
use Safehold\Process;

$process = new Process(['cat'], stdin: 'pipe', stdout: 'pipe');
var_dump($process->pid() > 0, $process->isRunning());
$in = $process->pipe(0);
$out = $process->pipe(1);
var_dump(get_resource_type($out), stream_get_meta_data($out)['stream_type'], stream_get_meta_data($out)['blocked']);
$ready = [$out];
$none = null;
var_dump(stream_select($ready, $none, $none, 0, 1000));
fwrite($in, "line\n");
$ready = [$out];
var_dump(stream_select($ready, $none, $none, 10), fgets($out));
stream_set_blocking($out, false);
var_dump(fread($out, 10));
stream_set_blocking($out, true);
fwrite($in, "last");
fclose($in);
var_dump(stream_get_contents($out), feof($out), (string)$process->wait(10), $process->isRunning());

foreach ([0, 2, 3, -1] as $number) {
  try {
    $process->pipe($number);
  } catch (Error $error) {
    echo get_class($error), ': ', $error->getMessage(), "\n";
  }
}
/* The stream lives longer than its object. */
function one() {
  $short = new Process('echo from one', stdout: 'pipe');
  $stream = $short->pipe(1);
  $short->wait();
  return $stream;
}
echo stream_get_contents(one());
?>
--EXPECT--
bool(true)
bool(true)
string(6) "stream"
string(5) "STDIO"
bool(true)
int(0)
int(1)
string(5) "line
"
string(0) ""
string(4) "last"
bool(true)
string(11) "exit code 0"
bool(false)
Error: Stream 0 of the child is no pipe of this object, or was taken already
Error: Stream 2 of the child is no pipe of this object, or was taken already
ValueError: Safehold\Process::pipe(): Argument #1 ($number) must be 0, 1 or 2
ValueError: Safehold\Process::pipe(): Argument #1 ($number) must be 0, 1 or 2
from one
