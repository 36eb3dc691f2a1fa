--TEST--
Safehold\Process::run: input, both outputs, status, named arguments
--EXTENSIONS--
safehold
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs a POSIX shell'); ?>
--FILE--
<?php
use Safehold\Process;

$output = Process::run(['sh', '-c', 'cat; echo complaint >&2; exit 3'], 'input');
var_dump($output->stdout, $output->stderr, $output->status->code, $output->status->signal, $output->status->known,
         $output->status->success(), (string)$output->status, $output->stdoutTotal, $output->stdoutCut);
var_dump(Process::run(['true'])->status->success(), (string)Process::run('kill -9 $$')->status);
/* stdin is empty, and no pipe of this script's. */
var_dump(Process::run(['cat'])->stdout);
/* A lot both ways at once. */
$much = str_repeat('0123456789abcdef', 1 << 16);
var_dump(Process::run(['cat'], $much)->stdout === $much);
var_dump(Process::run('yes | head -c 100000', limit: 1000)->stdout === str_repeat("y\n", 500));
$cut = Process::run('yes | head -c 100000', limit: 1000);
var_dump($cut->stdoutCut, $cut->stdoutTotal, $cut->stderrCut);
var_dump(Process::run('cat', 'never read by true', stdin: 'null')->stdout);

putenv('SAFEHOLD_TEST=of php');
var_dump(Process::run('echo $SAFEHOLD_TEST')->stdout);
var_dump(Process::run('echo "$A-$B-$SAFEHOLD_TEST"', env: ['A' => 'one two', 'B' => 5])->stdout);
var_dump(Process::run('echo "$A-$SAFEHOLD_TEST-"', envChanges: ['A' => 'added', 'SAFEHOLD_TEST' => null])->stdout);
var_dump(Process::run('pwd', cwd: '/')->stdout);
var_dump(Process::run('echo both; echo of them >&2', stderr: 'stdout')->stdout);
$file = __DIR__ . '/process_run.out';
Process::run('echo written', stdout: ['file', $file, 'w']);
Process::run('echo added', stdout: ['file', $file, 'a']);
var_dump(file_get_contents($file), Process::run('cat', stdin: ['file', $file, 'r'])->stdout);
$stream = fopen($file, 'r+');
var_dump(Process::run('cat <&7', descriptors: [7 => $stream])->stdout);
/* Valgrind lets nobody lower the number of its own descriptors. */
$files = str_contains((string)getenv('LD_PRELOAD'), 'vgpreload') ? [] : ['files' => 33];
$limited = Process::run('ulimit -n; ulimit -t; umask', limits: $files + ['cpu' => 7], umask: 027)->stdout;
var_dump($files === [] ? '33' . strstr($limited, "\n") : $limited);
?>
--CLEAN--
<?php @unlink(__DIR__ . '/process_run.out'); ?>
--EXPECT--
string(5) "input"
string(10) "complaint
"
int(3)
NULL
bool(true)
bool(false)
string(11) "exit code 3"
int(5)
bool(false)
bool(true)
string(8) "signal 9"
string(0) ""
bool(true)
bool(true)
bool(true)
int(100000)
bool(false)
string(0) ""
string(7) "of php
"
string(11) "one two-5-
"
string(8) "added--
"
string(2) "/
"
string(13) "both
of them
"
string(14) "written
added
"
string(14) "written
added
"
string(14) "written
added
"
string(10) "33
7
0027
"
