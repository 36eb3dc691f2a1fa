--TEST--
proc_open: bad arguments and a missing program are told, and leave nothing behind
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open
--SKIPIF--
<?php if (!is_dir('/proc/self/fd')) die('skip needs /proc'); ?>
--FILE--
<?php
$before = count(scandir('/proc/self/fd'));
$bad = [
  ['true', ['x' => ['pipe', 'r']]],
  ['true', [['pipe', 'r'], 'x']],
  ['true', [['pipe', 'r'], []]],
  ['true', [['pipe']]],
  ['true', [['file']]],
  ['true', [['file', '/dev/null']]],
  ['true', [['pipe', 'r'], ['file', '/no/such/file', 'r']]],
  ['true', [['no']]],
  ['true', [['redirect']]],
  ['true', [['redirect', 'x']]],
  ['true', [1 => ['pipe', 'w'], 2 => ['redirect', 7]]],
  ['true', [fopen('php://memory', 'r')]],
  ['true', [-1 => ['pipe', 'w']]],
  [[], []],
  [["a\0b"], []],
  [['true', "a\0b"], [['pipe', 'r']]],
  [['/no/such/program'], [['pipe', 'r'], ['pipe', 'w'], ['pty'], 4 => ['socket']]],
  [[__DIR__], [['pipe', 'r']]],
  [['true'], [], null, ['A' => new class { function __toString(): string { throw new Exception('of the script'); } }]],
];
foreach ($bad as $arguments) {
  $pipes = 'as it was';
  try {
    var_dump(proc_open($arguments[0], $arguments[1], $pipes, $arguments[2] ?? null, $arguments[3] ?? null));
  } catch (Throwable $error) {
    echo get_class($error), ': ', $error->getMessage(), "\n";
  }
  if ($pipes !== 'as it was') var_dump($pipes);
}
foreach (['proc_close', 'proc_get_status', 'proc_terminate'] as $function)
  try {
    $function(STDIN);
  } catch (TypeError $error) {
    echo $error->getMessage(), "\n";
  }
unset($error, $arguments, $bad);
gc_collect_cycles();
var_dump(count(scandir('/proc/self/fd')) - $before, @file_get_contents('/proc/self/task/' . getmypid() . '/children'));
?>
--EXPECTF--
ValueError: proc_open(): Argument #2 ($descriptor_spec) must be an integer indexed array
ValueError: proc_open(): Argument #2 ($descriptor_spec) must only contain arrays and streams
ValueError: Missing handle qualifier
ValueError: Missing mode parameter for 'pipe'
ValueError: Missing file name parameter for 'file'
ValueError: Missing mode parameter for 'file'

Warning: proc_open(/no/such/file): Failed to open stream: No such file or directory in %s on line %d
bool(false)

Warning: proc_open(): no is not a valid descriptor spec/mode in %s on line %d
bool(false)
ValueError: Missing redirection target
ValueError: Redirection target must be of type int, string given

Warning: proc_open(): Redirection target 7 not found in %s on line %d
bool(false)

Warning: proc_open(): Cannot represent a stream of type MEMORY as a File Descriptor in %s on line %d
bool(false)

Warning: proc_open(): Listed handle 0 has the target -1: it must be from 3 to 65535. in %s on line %d
bool(false)
ValueError: proc_open(): Argument #1 ($command) must have at least one element
ValueError: Command array element 1 contains a null byte
ValueError: Command array element 2 contains a null byte

Warning: proc_open(): /no/such/program cannot be started: No such file or directory (starting the program, system error %d). in %s on line %d
bool(false)

Warning: proc_open(): %s cannot be started: Permission denied (starting the program, system error %d). in %s on line %d
bool(false)
Exception: of the script
proc_close(): supplied resource is not a valid process resource
proc_get_status(): supplied resource is not a valid process resource
proc_terminate(): supplied resource is not a valid process resource
int(0)
string(0) ""
