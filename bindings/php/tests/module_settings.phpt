--TEST--
A setting that is not a number of seconds is refused, and says so
--INI--
safehold.exec_timeout=soon
safehold.stop_grace=-1
--FILE--
<?php
foreach (['lock_timeout', 'session_lock_timeout', 'exec_timeout', 'stop_grace'] as $name)
    var_dump(ini_get("safehold.$name"));
foreach (['5s', '', 'INF', 'NAN', '0x10', ' 5'] as $value)
    var_dump(ini_set('safehold.lock_timeout', $value));
foreach (['0.25', '-1', '1e2', '7'] as $value) {
    ini_set('safehold.lock_timeout', $value);
    var_dump(ini_get('safehold.lock_timeout'));
}
var_dump(ini_set('safehold.stop_grace', '-0.5'), ini_set('safehold.stop_grace', '0'));
var_dump(ini_set('safehold.replace', 'flock'));
?>
--EXPECTF--
Warning: safehold.exec_timeout must be a number of seconds, not "soon" in Unknown on line 0

Warning: safehold.stop_grace must be a number of seconds between 0 and 86400, not "-1" in Unknown on line 0
string(2) "60"
string(2) "-1"
string(4) "3600"
string(1) "2"

Warning: safehold.lock_timeout must be a number of seconds, not "5s" in %s on line %d
bool(false)

Warning: safehold.lock_timeout must be a number of seconds, not "" in %s on line %d
bool(false)

Warning: safehold.lock_timeout must be a number of seconds, not "INF" in %s on line %d
bool(false)

Warning: safehold.lock_timeout must be a number of seconds, not "NAN" in %s on line %d
bool(false)

Warning: safehold.lock_timeout must be a number of seconds, not "0x10" in %s on line %d
bool(false)

Warning: safehold.lock_timeout must be a number of seconds, not " 5" in %s on line %d
bool(false)
string(4) "0.25"
string(2) "-1"
string(3) "1e2"
string(1) "7"

Warning: safehold.stop_grace must be a number of seconds between 0 and 86400, not "-0.5" in %s on line %d
bool(false)
string(1) "2"
bool(false)
