--TEST--
proc_open, popen: a daemon started from php -S does not keep its listening socket
--EXTENSIONS--
safehold
--INI--
safehold.replace=proc_open
--SKIPIF--
<?php
if (!is_dir('/proc/self/fd')) die('skip needs /proc');
if (!getenv('SAFEHOLD_TEST_MODULE')) die('skip needs SAFEHOLD_TEST_MODULE, the extension for a PHP that is started');
?>
--FILE--
<?php
/* A port that was free a moment ago; somebody else may take it first. */
function serve(): array {
  $probe = stream_socket_server('tcp://127.0.0.1:0');
  $address = stream_socket_get_name($probe, false);
  fclose($probe);
  $module = 'extension=' . getenv('SAFEHOLD_TEST_MODULE');
  $server = proc_open([PHP_BINARY, '-n', '-d', $module, '-d', 'safehold.replace=all', '-S', $address, __DIR__ . '/child_server.inc'],
                      [['null'], ['null'], ['null']], $pipes);
  for ($tries = 0; $tries < 250 && proc_get_status($server)['running']; $tries++) {
    $body = @file_get_contents("http://$address/");
    if ($body !== false) return [$server, $address, $body];
    usleep(20000);
  }
  proc_terminate($server);
  proc_close($server);
  return [];
}

for ($tries = 0; $tries < 5 && ($serving = serve()) === []; $tries++);
[$server, $address, $body] = $serving;
preg_match('/^daemon (\d+)$/m', $body, $daemon);
echo str_replace($daemon[0], "daemon", $body);
proc_terminate($server);
proc_close($server);
var_dump(file_exists("/proc/$daemon[1]"), @stream_socket_server("tcp://$address") !== false);
proc_close(proc_open("kill -9 $daemon[1]", [], $pipes));
?>
--EXPECT--
daemon
exec sockets 0
proc_open sockets 0
popen sockets 0
bool(true)
bool(true)
