/* SPDX-License-Identifier: MIT */
/*
 * The peers that are libraries: each is a program of its own, which does what the rows of ../spawns.c and
 * ../communicate.c do and prints "row TAB peer TAB median in the row's unit".
 */
#ifndef SAFEHOLD_BENCH_PEER_H
#define SAFEHOLD_BENCH_PEER_H

#include "../measure.h"

struct peer {
  const char *name;
  /* Starts the child, without streams of its own, and waits for its end; answers the time when it had been started. */
  int64_t (*spawn)(const char *child);
  /* So many bytes into /bin/cat and out of it again; or NULL. */
  void (*cat)(size_t total);
  size_t total;
};

/* Usage: PEER CHILD [START OF A ROW'S NAME]. */
int peer_main(int argc, char **argv, const struct peer *peer);

#endif
