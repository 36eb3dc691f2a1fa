--TEST--
Safehold\Process: arguments whose conversion starts the same object, keys that are nearly the same
--EXTENSIONS--
safehold
--FILE--
<?php
use Safehold\Process;

class Argument {
  public function __toString(): string {
    foreach (debug_backtrace() as $frame)
      if (($frame['object'] ?? null) instanceof Process) $frame['object']->__construct(['sleep', '60'], stdin: 'null');
    return 'unused';
  }
}

function message(callable $call): void {
  try {
    $call();
  } catch (Error $e) {
    echo get_class($e), ': ', $e->getMessage(), "\n";
  }
}

message(fn() => new Process(['true', new Argument()]));
/* Each was taken for the first, and together they went past the end of the list. */
$limits = [];
for ($at = 0; $at < 100; $at++) $limits[$at === 0 ? 'cpu' : "cpu\0$at"] = 1000;
message(fn() => new Process(['true'], limits: $limits));
if (PHP_INT_SIZE === 8) message(fn() => new Process(['true'], tree: 1 << 32));
else echo 'ValueError: Safehold\Process::__construct(): Argument #11 ($tree) must be between 0 and 2147483647', "\n";
?>
--EXPECT--
Error: The process has been started already
ValueError: Safehold\Process::__construct(): Argument #10 ($limits) may have the keys memory, cpu, files, processes, core and fileSize
ValueError: Safehold\Process::__construct(): Argument #11 ($tree) must be between 0 and 2147483647
