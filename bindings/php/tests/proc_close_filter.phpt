--TEST--
proc_close: the filter of a stream that is closed with the process may close the process again, and end the script
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open
error_reporting=24575
--FILE--
<?php
class Again extends php_user_filter {
  public function onClose(): void {
    try {
      proc_close($GLOBALS['process']);
    } catch (TypeError $e) {
      echo $e->getMessage(), "\n";
    }
    if ($this->params === 'fatal') trigger_error('in the filter', E_USER_ERROR);
  }
}
stream_filter_register('again', 'Again');

foreach (['', 'fatal'] as $params) {
  $process = proc_open('exit 7', [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
  stream_filter_append($pipes[1], 'again', STREAM_FILTER_READ, $params);
  var_dump(proc_close($process));
}
echo "not reached\n";
?>
--EXPECTF--
proc_close(): supplied resource is not a valid process resource
int(7)
proc_close(): supplied resource is not a valid process resource

Fatal error: in the filter in %s on line %d
