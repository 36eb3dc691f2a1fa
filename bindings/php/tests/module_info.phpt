--TEST--
The module says its version, what it replaces and how it waits
--EXTENSIONS--
safehold
--FILE--
<?php
var_dump(Safehold\version() === phpversion('safehold'));
$info = (new ReflectionExtension('safehold'));
ob_start();
$info->info();
$text = ob_get_clean();
foreach (['Safehold => enabled', 'Replaced functions => none', 'safehold.lock_timeout => 60 => 60'] as $line)
    var_dump(str_contains($text, $line));
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
