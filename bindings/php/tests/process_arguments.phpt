--TEST--
Safehold\Process: bad arguments get a clear exception and start nothing
--EXTENSIONS--
safehold
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip has paths of POSIX'); ?>
--INI--
open_basedir={PWD}
--FILE--
<?php
use Safehold\Process;

$stream = fopen('php://memory', 'r');
foreach ([
  'no command' => fn() => new Process([]),
  'empty shell command' => fn() => new Process(''),
  'NUL' => fn() => new Process(['echo', "a\0b"]),
  'NUL for the shell' => fn() => new Process("echo a\0b"),
  'no program' => fn() => new Process(['no_such_program_anywhere']),
  'no folder' => fn() => new Process(['true'], cwd: __DIR__ . '/no_such_folder'),
  'not a program' => fn() => new Process([__FILE__]),
  'env' => fn() => new Process(['true'], env: ['A=B' => 'x']),
  'env list' => fn() => new Process(['true'], env: ['A=B']),
  'env array' => fn() => new Process(['true'], env: ['A' => "x\0y"]),
  'stdin' => fn() => new Process(['true'], stdin: 'stdout'),
  'stderr' => fn() => new Process(['true'], stderr: 5),
  'memory' => fn() => new Process(['true'], stdin: $stream),
  'file' => fn() => new Process(['true'], stdout: ['file', __FILE__]),
  'file mode' => fn() => new Process(['true'], stdin: ['file', __FILE__, 'w']),
  'basedir' => fn() => new Process(['true'], stdin: ['file', '/etc/passwd', 'r']),
  'descriptor' => fn() => new Process(['true'], descriptors: [1 => STDERR]),
  'descriptor name' => fn() => new Process(['true'], descriptors: ['x' => STDERR]),
  'limit' => fn() => new Process(['true'], limits: ['disk' => 1]),
  'limit value' => fn() => new Process(['true'], limits: ['cpu' => '1']),
  'tree' => fn() => new Process(['true'], tree: 77),
  'nice' => fn() => new Process(['true'], nice: 100),
  'umask' => fn() => new Process(['true'], umask: -1),
  'timeout' => fn() => new Process(['true'], spawnTimeout: NAN),
  'unknown name' => fn() => Process::run(['true'], nothing: 1),
  'unnamed' => fn() => Process::run(['true'], '', 1.0, 1, '/'),
  'run limit' => fn() => Process::run(['true'], limit: -1),
  'run timeout' => fn() => Process::run(['true'], timeout: NAN),
  'signal' => fn() => (new Process(['sleep', '60']))->signal(7777),
  'grace' => fn() => (new Process(['true']))->stop(-1),
  'resize' => fn() => (new Process(['true']))->resize(80, 24),
] as $what => $try) {
  try {
    $try();
    echo "$what: nothing thrown\n";
  } catch (Throwable $thrown) {
    echo "$what: ", get_class($thrown), ': ', str_replace(__DIR__, '', $thrown->getMessage()), "\n";
  }
}
?>
--EXPECT--
no command: ValueError: Safehold\Process::__construct(): Argument #1 ($command) must have at least one element
empty shell command: ValueError: Safehold\Process::__construct(): Argument #1 ($command) must not be empty
NUL: ValueError: Safehold\Process::__construct(): Argument #1 ($command) must not contain any null bytes
NUL for the shell: ValueError: Safehold\Process::__construct(): Argument #1 ($command) must not contain any null bytes
no program: Safehold\PathException: /bin/no_such_program_anywhere cannot be started: No such file or directory (starting the program, system error 2).
no folder: Safehold\PathException: The child cannot change to /no_such_folder: No such file or directory (changing the working directory, system error 2).
not a program: Safehold\PathException: /process_arguments.php cannot be started: Permission denied (starting the program, system error 13).
env: ValueError: Safehold\Process::__construct(): Argument #3 ($env) must have the names of environment variables for keys
env list: ValueError: Safehold\Process::__construct(): Argument #3 ($env) must have the names of environment variables for keys
env array: ValueError: Safehold\Process::__construct(): Argument #3 ($env) must not contain any null bytes
stdin: ValueError: Safehold\Process::__construct(): Argument #5 ($stdin) must be "pipe", "null", "inherit", "pty", a stream, or a file
stderr: ValueError: Safehold\Process::__construct(): Argument #7 ($stderr) must be an open stream
memory: ValueError: Safehold\Process::__construct(): Argument #5 ($stdin) must be a stream that the system knows as a descriptor
file: ValueError: Safehold\Process::__construct(): Argument #6 ($stdout) must be ['file', path, 'w', 'a' or 'x'] if it is an array
file mode: ValueError: Safehold\Process::__construct(): Argument #5 ($stdin) must be ['file', path, 'r'] if it is an array
basedir: Safehold\PathException: open_basedir does not allow "/etc/passwd".
descriptor: ValueError: Safehold\Process::__construct(): Argument #8 ($descriptors) must have the child's descriptor numbers from 3 on for keys
descriptor name: ValueError: Safehold\Process::__construct(): Argument #8 ($descriptors) must have the child's descriptor numbers from 3 on for keys
limit: ValueError: Safehold\Process::__construct(): Argument #10 ($limits) may have the keys memory, cpu, files, processes, core and fileSize
limit value: ValueError: Safehold\Process::__construct(): Argument #10 ($limits) must have a number that is not negative, or null for no limit, as "cpu"
tree: ValueError: The tree has the unknown value 77.
nice: ValueError: Safehold\Process::__construct(): Argument #16 ($nice) must be between -40 and 40
umask: ValueError: Safehold\Process::__construct(): Argument #15 ($umask) must be between 0 and 511
timeout: ValueError: Safehold\Process::__construct(): Argument #9 ($spawnTimeout) must be a number of seconds that is not negative
unknown name: Error: Unknown named parameter $nothing
unnamed: ValueError: Safehold\Process::run(): Argument #5 must be named, as an argument of the constructor
run limit: ValueError: Safehold\Process::run(): Argument #4 ($limit) must not be negative
run timeout: ValueError: Safehold\Process::run(): Argument #3 ($timeout) must be a number of seconds
signal: ValueError: There is no signal 7777.
grace: ValueError: Safehold\Process::stop(): Argument #1 ($grace) must be a number of seconds that is not negative
resize: Error: The process has no terminal of its own
