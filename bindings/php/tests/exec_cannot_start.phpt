--TEST--
exec, system, passthru, shell_exec: a command that cannot be started is PHP's own warning and false
--EXTENSIONS--
safehold
--INI--
safehold.replace=exec,system,passthru,shell_exec
--SKIPIF--
<?php if (PHP_OS_FAMILY !== 'Linux') die('skip needs the bound on one argument'); ?>
--FILE--
<?php
set_error_handler(function ($type, $message) { echo "$type: ", substr($message, 0, 50), "\n"; });
$long = str_repeat('x', 200000);
$lines = ['kept'];
var_dump(exec($long, $lines, $code), $lines, $code);
var_dump(system($long, $code), $code);
var_dump(passthru($long, $code), $code);
var_dump(shell_exec($long));
set_error_handler(function ($type, $message) { throw new Exception('by the handler'); });
try {
  exec($long, $lines, $code);
} catch (Exception $thrown) {
  echo $thrown->getMessage(), "\n";
}
/* No type that takes no array. */
class Typed { public int $number = 5; }
$typed = new Typed;
try {
  exec('echo not run', $typed->number);
} catch (TypeError $error) {
  echo $error->getMessage(), "\n";
}
?>
--EXPECT--
2: exec(): Unable to fork [xxxxxxxxxxxxxxxxxxxxxxxxxx
bool(false)
array(1) {
  [0]=>
  string(4) "kept"
}
int(-1)
2: system(): Unable to fork [xxxxxxxxxxxxxxxxxxxxxxxx
bool(false)
int(-1)
2: passthru(): Unable to fork [xxxxxxxxxxxxxxxxxxxxxx
bool(false)
int(-1)
2: shell_exec(): Unable to execute 'xxxxxxxxxxxxxxxxx
bool(false)
by the handler
Cannot assign array to reference held by property Typed::$number of type int
