<?php
// SPDX-License-Identifier: MIT
// Peers' cost of an uncontended flock, ns: a line "row TAB peer TAB ns" each.
function pairs(int $count): float {
  $file = fopen("peer.lock", "c+");
  $began = hrtime(true);
  for ($i = 0; $i < $count; $i++) {
    flock($file, LOCK_EX);
    flock($file, LOCK_UN);
  }
  $took = hrtime(true) - $began;
  fclose($file);
  return $took / $count;
}

function cycles(int $count): float {
  $began = hrtime(true);
  for ($i = 0; $i < $count; $i++) {
    $file = fopen("peer.lock", "c+");
    flock($file, LOCK_EX);
    flock($file, LOCK_UN);
    fclose($file);
  }
  return (hrtime(true) - $began) / $count;
}

$pair = $cycle = INF;
for ($round = 0; $round < 7; $round++) {
  $pair = min($pair, pairs(20000));
  $cycle = min($cycle, cycles(5000));
}
printf("lock.pair\tPHP flock\t%.0f\nlock.cycle\tPHP fopen + flock\t%.0f\n", $pair, $cycle);
