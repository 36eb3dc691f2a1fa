--TEST--
popen: a script that a filter ends while the stream is closed leaves the next request neither the stream nor a zombie
--EXTENSIONS--
safehold
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
  $server = proc_open([PHP_BINARY, '-n', '-d', $module, '-d', 'safehold.replace=all', '-d', 'html_errors=0', '-S', $address,
                       __DIR__ . '/popen_filter.inc'], [['null'], ['null'], ['null']], $pipes);
  for ($tries = 0; $tries < 250 && proc_get_status($server)['running']; $tries++) {
    $body = @file_get_contents("http://$address/fatal", false, stream_context_create(['http' => ['ignore_errors' => true]]));
    if ($body !== false) return [$server, $address, $body];
    usleep(20000);
  }
  proc_terminate($server);
  proc_close($server);
  return [];
}

for ($tries = 0; $tries < 5 && ($serving = serve()) === []; $tries++);
[$server, $address, $body] = $serving;
echo $body, file_get_contents("http://$address/");
proc_terminate($server);
proc_close($server);
?>
--EXPECTF--
Fatal error: in the filter in %s on line %d
zombies 0
