<?php
// SPDX-License-Identifier: MIT
// One request that does all that is replaced, well and badly, and leaves to its end what a sloppy program would:
// request.php?folder=FOLDER[&slow=1]. Prints "ok PID".
$folder = $_GET["folder"];
$slow = !empty($_GET["slow"]);

function must(bool $truth, string $what): void {
  if (!$truth) throw new Exception($what);
}

session_id($slow ? "slow" : "growth");
$settings = ["save_path" => $folder, "use_cookies" => 0, "cache_limiter" => ""];
session_start($settings + ["gc_probability" => 1, "gc_divisor" => 10]);
$_SESSION["count"] = ($_SESSION["count"] ?? 0) + 1;
if ($slow) {
  exec("sleep 0.5; echo slept", $lines, $code);
  must($code === 0 && $lines === ["slept"], "the slow command");
}
session_write_close();
session_start($settings + ["read_and_close" => true]);
must($_SESSION["count"] > 0, "the session");

$file = fopen("$folder/data", "c+");
must(flock($file, LOCK_EX) && flock($file, LOCK_UN) && flock($file, LOCK_SH) && flock($file, LOCK_EX), "flock");
$again = fopen("$folder/data", "c+");
must(!flock($again, LOCK_EX | LOCK_NB, $blocked) && $blocked === 1, "flock of what is locked");
if (extension_loaded("safehold")) {
  ini_set("safehold.lock_timeout", "0.001");
  must(!@flock($again, LOCK_SH), "flock of what stays locked");
}
$object = new SplFileObject("$folder/object", "c+");
must($object->flock(LOCK_EX), "SplFileObject::flock");
must(file_put_contents("$folder/put", "text", LOCK_EX) === 4, "file_put_contents");

must(exec("echo one; echo two", $lines, $code) === "two" && $code === 0, "exec");
must(shell_exec("echo text") === "text\n" && `exit 3` === null, "shell_exec");
ob_start();
system("echo text");
passthru("echo text; exit 2", $code);
must(ob_get_clean() === "text\ntext\n" && $code === 2, "system and passthru");
@exec("$folder/missing 2>/dev/null", $lines, $code);
must($code === 127, "exec of what is not there");

$stream = popen("cat >/dev/null; exit 4", "w");
fwrite($stream, "text");
must(pclose($stream) === 4, "popen");
$forgotten = popen("echo text", "r");

$process = proc_open(["cat"], [["pipe", "r"], ["pipe", "w"]], $pipes);
fwrite($pipes[0], "text");
fclose($pipes[0]);
must(stream_get_contents($pipes[1]) === "text" && proc_close($process) === 0, "proc_open");
$missing = @proc_open(["$folder/missing"], [1 => ["null"], 2 => ["null"]], $none);
must($missing === false || proc_close($missing) === 127, "proc_open of what is not there");
$process = proc_open(["sleep", "60"], [1 => ["pipe", "w"]], $pipes);
must(proc_get_status($process)["running"] && proc_terminate($process), "proc_terminate");
$abandoned = proc_open(["true"], [1 => ["pipe", "w"]], $left);

if (extension_loaded("safehold")) require __DIR__ . "/api.php";
$cycle = [$file, $stream];
$cycle[] = &$cycle; // only the garbage collector frees it
echo "ok ", getmypid();
