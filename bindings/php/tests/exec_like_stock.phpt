--TEST--
exec, system, passthru, shell_exec: lines, white space and result codes are PHP's own
--EXTENSIONS--
safehold
--INI--
safehold.replace=exec,system,passthru,shell_exec
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs a POSIX shell'); ?>
--FILE--
<?php
$lines = ['before'];
var_dump(exec('echo a; echo "b  "; echo', $lines, $code), $lines, $code);
var_dump(addcslashes(exec('printf "x\0y\r\nlast\t"', $more), "\0..\37"), array_map(fn($l) => addcslashes($l, "\0..\37"), $more));
var_dump(exec('printf "no newline"'), exec('true'), exec('echo; echo " "'));
var_dump(system('printf "one\ntwo  \n"', $code), $code);
var_dump(system('printf rest; exit 3', $code), $code);
var_dump(passthru('printf "raw\0bytes"; exit 4', $code), $code);
var_dump(shell_exec('true'), shell_exec('echo 1; echo 2'), `echo back`);
exec('kill -9 $$', $none, $code);
var_dump($none, $code);
exec('nosuchprogram 2>/dev/null', $none, $code);
var_dump($code);
exec('exit 5', result_code: $named);
var_dump($named);
$scalar = 'text';
exec('echo replaced', $scalar);
var_dump($scalar);
foreach (['exec', 'system', 'passthru', 'shell_exec'] as $function) {
  foreach (['', "a\0b"] as $command) {
    try { $function($command); } catch (ValueError $error) { echo $error->getMessage(), "\n"; }
  }
}
?>
--EXPECTREGEX--
string\(0\) ""
array\(4\) {
  \[0\]=>
  string\(6\) "before"
  \[1\]=>
  string\(1\) "a"
  \[2\]=>
  string\(1\) "b"
  \[3\]=>
  string\(0\) ""
}
int\(0\)
string\(4\) "last"
array\(2\) {
  \[0\]=>
  string\(6\) "x\\000y"
  \[1\]=>
  string\(4\) "last"
}
string\(10\) "no newline"
string\(0\) ""
string\(0\) ""
one
two  
string\(3\) "two"
int\(0\)
reststring\(4\) "rest"
int\(3\)
raw.bytesNULL
int\(4\)
NULL
string\(4\) "1
2
"
string\(5\) "back
"
array\(0\) {
}
int\(9\)
int\(127\)
int\(5\)
array\(1\) {
  \[0\]=>
  string\(8\) "replaced"
}
exec\(\): Argument #1 \(\$command\) (cannot|must not) be empty
exec\(\): Argument #1 \(\$command\) must not contain any null bytes
system\(\): Argument #1 \(\$command\) (cannot|must not) be empty
system\(\): Argument #1 \(\$command\) must not contain any null bytes
passthru\(\): Argument #1 \(\$command\) (cannot|must not) be empty
passthru\(\): Argument #1 \(\$command\) must not contain any null bytes
shell_exec\(\): Argument #1 \(\$command\) (cannot|must not) be empty
shell_exec\(\): Argument #1 \(\$command\) must not contain any null bytes
