<?php
// SPDX-License-Identifier: MIT
// Peers' cost of spawning CHILD, us, and of 1 GiB through cat, s: spawn.php CHILD [START OF A ROW'S NAME].
ini_set("memory_limit", "-1");
$child = $argv[1];
$only = $argv[2] ?? "";
$peer = "PHP " . PHP_VERSION . " proc_open";

function wanted(string $row): bool {
  return str_starts_with($row, $GLOBALS["only"]);
}

function median(array $list): float {
  sort($list);
  return $list[intdiv(count($list) - 1, 2)];
}

function spawn_rows(string $suffix): void {
  global $child, $peer;
  if (!wanted("spawn.return$suffix") && !wanted("spawn.wait$suffix")) return;
  $returned = $reaped = [];
  $start = hrtime(true);
  while (count($returned) < 5 || (count($returned) < 300 && hrtime(true) - $start < 7e8)) {
    $began = hrtime(true);
    $process = proc_open([$child], [], $pipes, null, []);
    $returned[] = hrtime(true) - $began;
    proc_close($process);
    $reaped[] = hrtime(true) - $began;
  }
  foreach (["spawn.return$suffix" => $returned, "spawn.wait$suffix" => $reaped] as $row => $list)
    if (wanted($row)) printf("%s\t%s\t%.4g\n", $row, $peer, median($list) / 1000);
}

function cat(): void {
  global $peer;
  $chunk = str_repeat("x", 1 << 18);
  $left = 1 << 30;
  $got = 0;
  $began = hrtime(true);
  $process = proc_open(["/bin/cat"], [["pipe", "r"], ["pipe", "w"]], $pipes);
  stream_set_blocking($pipes[0], false);
  stream_set_blocking($pipes[1], false);
  stream_set_chunk_size($pipes[1], 1 << 18);
  while (!feof($pipes[1])) {
    $read = [$pipes[1]];
    $write = $left > 0 ? [$pipes[0]] : [];
    $except = [];
    stream_select($read, $write, $except, null);
    if ($write) {
      $left -= fwrite($pipes[0], $left < strlen($chunk) ? substr($chunk, 0, $left) : $chunk);
      if ($left === 0) fclose($pipes[0]);
    }
    if ($read) $got += strlen(fread($pipes[1], 1 << 18));
  }
  proc_close($process);
  if ($got !== 1 << 30) exit(1);
  printf("communicate.cat\t%s\t%.4g\n", $peer, (hrtime(true) - $began) / 1e9);
}

spawn_rows("");
$files = [];
foreach ([1000, 15000] as $count) {
  while (count($files) < $count && ($file = @fopen("/dev/null", "r"))) $files[] = $file;
  if (count($files) === $count) spawn_rows(".fds$count");
}
$files = [];
$memory = str_repeat("x", 1 << 30);
spawn_rows(".rss1g");
unset($memory);
if (wanted("communicate.cat")) cat();
