<?php
// SPDX-License-Identifier: MIT
// php partner.php PATH: PHP's flock() as the other party of test_interop.c. See there for what is asked on stdin.
echo "ready: PHP ", PHP_VERSION, "\n";
while (($line = fgets(STDIN)) !== false) {
  $words = explode(" ", trim($line));
  if ($words[0] === "drop") {
    fclose($file);
    echo "dropped\n";
    continue;
  }
  $file = fopen($argv[1], "c+");
  if (flock($file, ($words[1] === "s" ? LOCK_SH : LOCK_EX) | LOCK_NB, $wouldBlock)) {
    echo "held\n";
  } else {
    fclose($file);
    echo $wouldBlock ? "busy\n" : "an error of flock's\n";
  }
}
