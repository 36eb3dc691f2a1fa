--TEST--
safehold.replace=cloexec: what PHP starts by its own means does not inherit its files
--EXTENSIONS--
safehold
--INI--
safehold.replace=cloexec
sendmail_path=sh {PWD}/cloexec_mail.inc
--SKIPIF--
<?php if (!is_dir('/proc/self/fd')) die('skip needs /proc'); ?>
--FILE--
<?php
$file = __DIR__ . '/cloexec_mail.tmp';
$streams = [fopen($file, 'c+'), fopen($file, 'rb'), fopen("file://$file", 'a')];
$object = new SplFileObject($file);
flock($streams[0], LOCK_EX);
foreach ($streams as $stream) echo stream_get_meta_data($stream)['mode'], "\n";
echo 'mail: ';
mail('nobody', 'subject', 'text');
echo 'exec: ', exec('ls -l /proc/self/fd | grep -c cloexec_mail.tmp'), "\n";
var_dump(fopen($file, 'q'));
?>
--CLEAN--
<?php @unlink(__DIR__ . '/cloexec_mail.tmp'); ?>
--EXPECTF--
c+
rb
a
mail: 0
exec: 0

Warning: fopen(%scloexec_mail.tmp): Failed to open stream: `q' is not a valid mode for fopen in %s on line %d
bool(false)
