--TEST--
safehold.replace: unknown names end PHP, names in any case, what is disabled stays so
--FILE--
<?php
function run(string ...$settings): void
{
    $command = [getenv('TEST_PHP_EXECUTABLE'), '-n', '-d', 'display_errors=1', '-d', 'html_errors=0', '-d', 'log_errors=0'];
    foreach (['extension=' . getenv('SAFEHOLD_TEST_MODULE'), ...$settings] as $setting)
        array_push($command, '-d', $setting);
    array_push($command, '-r',
        'ob_start(); (new ReflectionExtension("safehold"))->info(); preg_match("/Replaced functions => (.*)/", ob_get_clean(), $found);
        echo $found[1], "; flock: ", (int)function_exists("flock"), "; exec: ", (int)function_exists("exec"), "\n";');
    $child = proc_open($command, [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes);
    echo trim(stream_get_contents($pipes[1])), "\n";
    proc_close($child);
}
run();
run('safehold.replace=none');
run('safehold.replace=FLOCK, exec');
run('safehold.replace=flok');
run('safehold.replace=flock,exec', 'disable_functions=flock,exec');
?>
--EXPECTF--
none; flock: 1; exec: 1
none; flock: 1; exec: 1
flock, exec; flock: 1; exec: 1
Fatal error: safehold.replace: there is nothing called "flok" to replace in Unknown on line 0
%sflock: 0; exec: 0
