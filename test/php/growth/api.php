<?php
// SPDX-License-Identifier: MIT
// The extension's own classes, for request.php, whose $folder this uses: well, badly, and left to the request's end.
use Safehold\Lock;
use Safehold\Process;

function refused(callable $what, string $class): void {
  try {
    $what();
  } catch (Safehold\Exception $error) {
    must($error instanceof $class, $error->getMessage());
    return;
  }
  must(false, "it was not refused");
}

$lock = new Lock("$folder/lock", timeout: 1.0);
must(Lock::try("$folder/lock") === null && $lock->isHeld(), "Lock");
must(count(Lock::holdersOf("$folder/lock", 10.0)) === 1, "holdersOf");
refused(fn() => new Lock("$folder/lock", timeout: 0.001), Safehold\Exception::class);
refused(fn() => new Lock("$folder/missing/lock"), Safehold\PathException::class);
must(str_contains(Safehold\why("$folder/lock", 10.0), (string) getmypid()), "why");
$lock->convert(Lock::SHARED);
$other = new Lock("$folder/lock", Lock::SHARED);
$lock->release();
must(is_array(Safehold\leaks(null, 1.0)), "leaks");

$output = Process::run(["cat"], "text", timeout: 10.0);
must($output->stdout === "text" && $output->status->success(), "Process::run");
refused(fn() => new Process(["$folder/missing"]), Safehold\PathException::class);
$cat = new Process(["cat"], stdin: "pipe", stdout: "pipe");
fwrite($cat->pipe(0), "text\n");
must(fgets($cat->pipe(1)) === "text\n", "Process with pipes");
must($cat->stop(5.0)->status !== null, "stop");
$running = new Process(["sleep", "60"], stdout: "null");
