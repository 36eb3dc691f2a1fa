--TEST--
What a request has waited is not counted for the session of the next one, which session.auto_start opens first
--EXTENSIONS--
session
--SKIPIF--
<?php if (!getenv('SAFEHOLD_TEST_MODULE')) die('skip needs SAFEHOLD_TEST_MODULE, the extension for a PHP that is started'); ?>
--FILE--
<?php
require __DIR__ . '/other.inc';
$folder = __DIR__ . '/wait_next_request.d';
mkdir($folder);
file_put_contents("$folder/script.php", '<?php
    echo session_status() === PHP_SESSION_ACTIVE ? "session" : "none", "\n";
    session_write_close();
    if (isset($_GET["wait"])) var_dump(@flock(fopen(__DIR__ . "/lock", "c+"), LOCK_EX));');

/* A port that was free a moment ago; somebody else may take it first. */
function serve(string $folder): array {
    $probe = stream_socket_server('tcp://127.0.0.1:0');
    $address = stream_socket_get_name($probe, false);
    fclose($probe);
    $command = [PHP_BINARY, '-n', '-S', $address];
    $settings = ['extension' => getenv('SAFEHOLD_TEST_MODULE'), 'safehold.replace' => 'flock,session', 'safehold.lock_timeout' => 4,
                 'session.auto_start' => 1, 'session.save_path' => $folder, 'max_execution_time' => 5];
    foreach ($settings as $name => $value) array_push($command, '-d', "$name=$value");
    $server = proc_open([...$command, "$folder/script.php"], [['null'], ['null'], ['null']], $pipes);
    for ($tries = 0; $tries < 250 && proc_get_status($server)['running']; $tries++) {
        if (@file_get_contents("http://$address/") === "session\n") return [$server, $address];
        usleep(20000);
    }
    proc_terminate($server);
    proc_close($server);
    return [null, ''];
}
for ($tries = 0; $tries < 5 && ([$server, $address] = serve($folder))[0] === null; $tries++);
$lock = Other::locks("$folder/lock");
echo file_get_contents("http://$address/?wait");
$session = Other::locks("$folder/sess_one");
$client = stream_socket_client("tcp://$address");
fwrite($client, "GET / HTTP/1.0\r\nCookie: PHPSESSID=one\r\n\r\n");
usleep(1500000);
$session->finish();
echo preg_replace('/.*\r\n\r\n/s', '', stream_get_contents($client));
$lock->finish();
proc_terminate($server);
proc_close($server);
?>
--CLEAN--
<?php
array_map('unlink', glob(__DIR__ . '/wait_next_request.d/*'));
@rmdir(__DIR__ . '/wait_next_request.d');
?>
--EXPECT--
session
bool(false)
session
