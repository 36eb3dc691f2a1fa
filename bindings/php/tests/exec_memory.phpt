--TEST--
exec, shell_exec, Safehold\Process: more output than the memory limit allows is PHP's fatal error, and ends the command
--EXTENSIONS--
safehold
--SKIPIF--
<?php if (!getenv('SAFEHOLD_TEST_MODULE')) die('skip needs SAFEHOLD_TEST_MODULE, the extension for a PHP that is started'); ?>
--FILE--
<?php
$output = 'head -c 40000000 /dev/zero';
$codes = [
  "exec('$output');",
  "exec('yes', \$lines);",
  "shell_exec('$output');",
  "Safehold\\Process::run('$output; sleep 60');",
  "\$process = new Safehold\\Process('$output; sleep 60', stdout: 'pipe'); \$process->communicate();",
];
foreach ($codes as $code) {
  /* What was collected may still be there at the end. */
  $code = "register_shutdown_function(fn() => ini_set('memory_limit', '64M') && print(exec('echo the end'))); ini_set('memory_limit', '8M'); $code echo 'not reached';";
  $run = Safehold\Process::run([PHP_BINARY, '-n', '-d', 'extension=' . getenv('SAFEHOLD_TEST_MODULE'), '-d', 'safehold.replace=all',
                                '-d', 'display_errors=1', '-r', $code], timeout: 40, stderr: 'null');
  echo strtok(trim($run->stdout), '('), strstr($run->stdout, 'the end'), ", $run->status\n";
}
?>
--EXPECT--
Fatal error: Allowed memory size of 8388608 bytes exhausted the end, exit code 255
Fatal error: Allowed memory size of 8388608 bytes exhausted the end, exit code 255
Fatal error: Allowed memory size of 8388608 bytes exhausted the end, exit code 255
Fatal error: Allowed memory size of 8388608 bytes exhausted the end, exit code 255
Fatal error: Allowed memory size of 8388608 bytes exhausted the end, exit code 255
