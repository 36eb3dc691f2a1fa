--TEST--
proc_open: an entry that its own conversion to a string takes out of the array
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open
--FILE--
<?php
class Name {
  public function __toString(): string {
    $GLOBALS['entry'] = null;
    $GLOBALS['other'] = ['file', $this, 'no mode at ' . 'all' . PHP_OS]; /* in its place */
    return '/dev/null';
  }
}
$entry = ['file', new Name(), str_repeat('w', 1)];
$process = proc_open('echo lost; exit 3', [1 => &$entry], $pipes);
var_dump($entry, proc_close($process));
?>
--EXPECT--
NULL
int(3)
