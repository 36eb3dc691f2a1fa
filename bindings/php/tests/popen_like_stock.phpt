--TEST--
popen, pclose: modes, status, the stream's nature, select
--EXTENSIONS--
safehold
--INI--
safehold.replace=popen
--SKIPIF--
<?php if (PHP_OS_FAMILY === 'Windows') die('skip needs a POSIX shell'); ?>
--FILE--
<?php
$stream = popen('cat; exit 5', 'w');
var_dump(get_resource_type($stream), stream_get_meta_data($stream), ftell($stream), fseek($stream, 0));
fwrite($stream, "written\n");
var_dump(pclose($stream));
$stream = popen('echo line; kill -9 $$', 'rb');
var_dump(stream_get_meta_data($stream)['mode'], fgets($stream), fgets($stream), feof($stream), pclose($stream));
foreach (['', 'x', 're', 'rb', 'br', 'b', 'rbb', 'rw', 'wbx'] as $mode) {
  try {
    $stream = popen('exit 3', $mode);
    if ($stream !== false) var_dump($mode, pclose($stream));
  } catch (ValueError $error) {
    echo "$mode: ", $error->getMessage(), "\n";
  }
}
var_dump(fclose(popen('', 'r')), pclose(fopen(__FILE__, 'r')));
$stream = popen('sleep 0.2; echo late', 'r');
$read = [$stream];
$none = null;
var_dump(stream_select($read, $none, $none, 20), stream_get_contents($stream), pclose($stream));
try {
  pclose($stream);
} catch (TypeError $error) {
  echo $error->getMessage(), "\n";
}
try {
  popen("a\0b", 'r');
} catch (ValueError $error) {
  echo $error->getMessage(), "\n";
}
?>
--EXPECTF--
Warning: fseek(): Stream does not support seeking in %s on line %d
string(6) "stream"
array(7) {
  ["timed_out"]=>
  bool(false)
  ["blocked"]=>
  bool(true)
  ["eof"]=>
  bool(false)
  ["stream_type"]=>
  string(5) "STDIO"
  ["mode"]=>
  string(1) "w"
  ["unread_bytes"]=>
  int(0)
  ["seekable"]=>
  bool(false)
}
int(0)
int(-1)
written
int(5)
string(2) "rb"
string(5) "line
"
bool(false)
bool(true)
int(9)

Warning: popen(exit 3,): Invalid argument in %s on line %d
x: popen(): Argument #2 ($mode) must be one of "r", "rb", "w", or "wb"
re: popen(): Argument #2 ($mode) must be one of "r", "rb", "w", or "wb"
string(2) "rb"
int(3)
string(2) "br"
int(3)

Warning: popen(exit 3,): Invalid argument in %s on line %d

Warning: popen(exit 3,rb): Invalid argument in %s on line %d
rw: popen(): Argument #2 ($mode) must be one of "r", "rb", "w", or "wb"
wbx: popen(): Argument #2 ($mode) must be one of "r", "rb", "w", or "wb"
bool(true)
int(0)
int(1)
string(5) "late
"
int(0)
pclose(): supplied resource is not a valid stream resource
popen(): Argument #1 ($command) must not contain any null bytes
