<?php
// SPDX-License-Identifier: MIT
// php_worker.php CHILD MEGABYTES: one PHP process for php.py, which keeps that much memory. For each line
// "ROW COUNT" on stdin it answers with the ns that one of COUNT turns has taken, on stdout.
ini_set("memory_limit", "-1");
ini_set("session.save_path", getcwd());
ini_set("session.use_cookies", "0");
ini_set("session.cache_limiter", "");
ini_set("session.gc_probability", "0");
session_id("benchmark" . getmypid());
[, $child, $megabytes] = $argv;
$memory = str_repeat("x", $megabytes << 20);
$file = fopen("php.lock", "c+");

$rows = [
  "flock" => function () use ($file) {
    flock($file, LOCK_EX);
    flock($file, LOCK_UN);
  },
  "session" => function () {
    session_start();
    $_SESSION["count"] = ($_SESSION["count"] ?? 0) + 1; // else nothing would be written
    session_write_close();
  },
  "proc_open" => function () use ($child) {
    proc_close(proc_open([$child], [], $pipes));
  },
  "proc_open.pipe" => function () use ($child) {
    $process = proc_open([$child], [1 => ["pipe", "w"]], $pipes);
    stream_get_contents($pipes[1]);
    fclose($pipes[1]);
    proc_close($process);
  },
  "proc_open.shell" => function () use ($child) {
    proc_close(proc_open($child, [], $pipes));
  },
  "popen" => function () use ($child) {
    $stream = popen($child, "r");
    stream_get_contents($stream);
    pclose($stream);
  },
  "exec" => function () use ($child) {
    exec($child);
  },
  "shell_exec" => function () {
    shell_exec("true");
  },
];

// For the hand-over: "lock" answers when it has the lock, with the time; "unlock" with the time just before.
$steps = [
  "lock" => function () use ($file): int {
    flock($file, LOCK_EX);
    return hrtime(true);
  },
  "unlock" => function () use ($file): int {
    $now = hrtime(true);
    flock($file, LOCK_UN);
    return $now;
  },
];

while (($line = fgets(STDIN)) !== false) {
  [$row, $count] = explode(" ", trim($line));
  if (isset($steps[$row])) {
    $answer = $steps[$row]();
  } else {
    $turn = $rows[$row];
    $began = hrtime(true);
    for ($at = 0; $at < $count; $at++) $turn();
    $answer = intdiv(hrtime(true) - $began, $count);
  }
  fwrite(STDOUT, "$answer\n"); // print would be output, after which no session can start
}
