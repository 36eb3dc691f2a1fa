--TEST--
The owner record has the label, also after a conversion
--FILE--
<?php
use Safehold\Lock;

$path = __DIR__ . '/lock_record.lock';
$label = fn() => preg_match('/^label=(.*)$/m', file_get_contents($path), $found) ? $found[1] : 'none';
$lock = new Lock($path, label: 'report ' . strtoupper('x'), flags: Lock::CREATE | Lock::RECORD_OWNER);
var_dump($label());
$lock->convert(Lock::SHARED);
$lock->convert(Lock::EXCLUSIVE);
var_dump($label());
$lock->release();
var_dump($label());
?>
--CLEAN--
<?php @unlink(__DIR__ . '/lock_record.lock'); ?>
--EXPECT--
string(8) "report X"
string(8) "report X"
string(4) "none"
