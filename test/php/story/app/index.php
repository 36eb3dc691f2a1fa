<?php
// SPDX-License-Identifier: MIT
// A page as there are many: it counts its visitors in a file, and begins a report in the background when it is asked
// for one. It closes its file as it should, and knows nothing of Safehold.

function busy(): never
{
    http_response_code(503);
    exit("busy\n");
}

header('X-Worker: ' . getmypid());
header('Content-Type: text/plain');
session_start() || busy();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;

$counter = fopen(__DIR__ . '/../data/counter', 'c+');
flock($counter, LOCK_EX) || busy();
$count = (int) stream_get_contents($counter) + 1;
rewind($counter);
fwrite($counter, $count);
if (isset($_GET['report'])) {
    exec('setsid sh -c "sleep 1000 >/dev/null 2>&1 &"');
}
if (isset($_GET['work'])) {
    sleep((int) $_GET['work']);
}
fclose($counter);
echo "visit $_SESSION[visits] of yours, $count of all\n";
