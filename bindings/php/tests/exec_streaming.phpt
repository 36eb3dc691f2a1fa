--TEST--
system, passthru: output is handed on as it comes, system's line by line
--EXTENSIONS--
safehold
--INI--
safehold.replace=exec,system,passthru,shell_exec
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs a POSIX shell'); ?>
--FILE--
<?php
foreach (['system', 'passthru'] as $function) {
  $came = [];
  ob_start(function ($bytes) use (&$came) {
    if ($bytes !== '') $came[] = [$bytes, microtime(true)];
    return '';
  }, 1);
  $function('printf "one\ntwo\nth"; sleep 0.5; printf "ree\nfour"');
  ob_end_clean();
  echo $function, ': ', json_encode(array_column($came, 0)), "\n";
  var_dump($came[count($came) - 1][1] - $came[0][1] > 0.3);
}
/* Past the buffers, also to whoever reads this script's output. */
$php = getenv('TEST_PHP_EXECUTABLE') . ' ' . getenv('TEST_PHP_EXTRA_ARGS');
$reader = popen("$php -d safehold.replace=all -r 'system(\"echo soon; sleep 1\");'", 'r');
var_dump(fgets($reader));
$began = microtime(true);
var_dump(fgets($reader), microtime(true) - $began > 0.3);
pclose($reader);
?>
--EXPECT--
system: ["one\n","two\n","three\n","four"]
bool(true)
passthru: ["one\ntwo\nth","ree\nfour"]
bool(true)
string(5) "soon
"
bool(false)
bool(true)
