// SPDX-License-Identifier: MIT
// Peers' cost of spawning CHILD, us, and of 1 GiB through cat, s: spawn.js CHILD [START OF A ROW'S NAME].
"use strict";
const { spawn } = require("child_process");
const fs = require("fs");

const child = process.argv[2];
const only = process.argv[3] || "";
const peer = `Node ${process.versions.node} child_process`;
const now = () => Number(process.hrtime.bigint());
const wanted = (row) => row.startsWith(only);
const median = (list) => list.sort((a, b) => a - b)[(list.length - 1) >> 1];

async function spawnRows(suffix) {
  const rows = [`spawn.return${suffix}`, `spawn.wait${suffix}`];
  const times = [[], []];
  const start = now();
  if (!rows.some(wanted)) return;
  while (times[0].length < 5 || (times[0].length < 300 && now() - start < 7e8)) {
    const began = now();
    const started = spawn(child, [], { stdio: "ignore", env: {} });
    times[0].push(now() - began);
    await new Promise((done) => started.on("exit", done));
    times[1].push(now() - began);
  }
  rows.forEach((row, at) => {
    if (wanted(row)) console.log(`${row}\t${peer}\t${(median(times[at]) / 1000).toPrecision(4)}`);
  });
}

async function cat() {
  const chunk = Buffer.alloc(1 << 18, "x");
  let left = 1 << 30, got = 0;
  const began = now();
  const started = spawn("/bin/cat", [], { stdio: ["pipe", "pipe", "ignore"] });
  started.stdout.on("data", (data) => { got += data.length; });
  const more = () => {
    while (left > 0) {
      left -= chunk.length;
      if (!started.stdin.write(chunk)) { started.stdin.once("drain", more); return; }
    }
    started.stdin.end();
  };
  more();
  await new Promise((done) => started.on("close", done));
  if (got !== 1 << 30) process.exit(1);
  console.log(`communicate.cat\t${peer}\t${((now() - began) / 1e9).toPrecision(4)}`);
}

const files = [];

function openUpTo(count) {
  try {
    while (files.length < count) files.push(fs.openSync("/dev/null", "r"));
  } catch {
    return false;
  }
  return true;
}

(async () => {
  await spawnRows("");
  for (const count of [1000, 15000]) if (openUpTo(count)) await spawnRows(`.fds${count}`);
  files.forEach((fd) => fs.closeSync(fd));
  const memory = Buffer.alloc(2 ** 30, 1);
  await spawnRows(".rss1g");
  if (memory.length > 0 && wanted("communicate.cat")) await cat();
})();
