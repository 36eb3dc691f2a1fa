--TEST--
proc_open: each kind of descriptor, the order of $pipes, directory and environment
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open
--FILE--
<?php
$file = __DIR__ . '/proc_open_descriptors.txt';
function run($command, array $spec, ...$more): int {
  return proc_close(proc_open($command, $spec, $pipes, ...$more));
}

/* pipes, in the order of the spec */
$process = proc_open('cat; echo err >&2; echo five >&5; exit 3', [5 => ['pipe', 'w'], 2 => ['pipe', 'w'], 1 => ['pipe', 'w'], 0 => ['pipe', 'r']], $pipes);
echo implode(' ', array_keys($pipes)), ' ', get_resource_type($process), "\n";
fwrite($pipes[0], "in\n");
fclose($pipes[0]);
echo stream_get_contents($pipes[1]), stream_get_contents($pipes[2]), stream_get_contents($pipes[5]);
var_dump(proc_close($process), is_resource($pipes[1]));

/* file, null, redirect to another and to PHP's own, a stream */
var_dump(run('echo out; echo err >&2', [1 => ['file', $file, 'w'], 2 => ['redirect', 1]]));
echo file_get_contents($file);
var_dump(run('echo more', [1 => ['file', $file, 'a']]), run('echo lost', [1 => ['null']]));
var_dump(run('cat; echo seen >&2', [['file', $file, 'r'], ['file', '/dev/null', 'w'], ['redirect', 1]]));
var_dump(run('echo redirected >&2', [2 => ['redirect', 1]]));
$stream = fopen($file, 'a');
var_dump(run('echo stream', [1 => $stream]));
fclose($stream);
echo file_get_contents($file);

/* socket */
$process = proc_open('read line; echo "got $line"', [['socket'], ['socket']], $pipes);
fwrite($pipes[0], "line\n");
echo fgets($pipes[1]);
var_dump(stream_get_meta_data($pipes[1])['stream_type'], proc_close($process));

/* select, and a stream that does not block */
$process = proc_open('sleep 0.2; echo late', [1 => ['pipe', 'w']], $pipes);
stream_set_blocking($pipes[1], false);
var_dump(fgets($pipes[1]));
$read = [$pipes[1]];
$none = null;
var_dump(stream_select($read, $none, $none, 20), fgets($pipes[1]), proc_close($process));

/* directory and environment */
var_dump(run('pwd', [], '/usr'), run(['./env'], [], '/usr/bin', ['A' => 'b', 'EMPTY' => '', 'C=d']));
putenv('PROC_OPEN_SET=1');
var_dump(run('echo $PROC_OPEN_SET', []), run('exit 4', [], null, []));
?>
--CLEAN--
<?php @unlink(__DIR__ . '/proc_open_descriptors.txt'); ?>
--EXPECT--
5 2 1 0 process
in
err
five
int(3)
bool(false)
int(0)
out
err
int(0)
int(0)
int(0)
redirected
int(0)
int(0)
out
err
more
stream
got line
string(14) "generic_socket"
int(0)
bool(false)
int(1)
string(5) "late
"
int(0)
/usr
A=b
C=d
int(0)
int(0)
1
int(0)
int(4)
