/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define ROUNDS 300
#define LONGEST INT64_C(700000000) /* ns for a row: what costs more is asked less often */

static const char *child, *only = "";

static bool wanted(const char *row) { return strncmp(row, only, strlen(only)) == 0; }

static void spawn_rows(const struct peer *peer, const char *suffix) {
  struct samples returned = {0}, reaped = {0};
  char names[2][48];
  int64_t start = bench_now();
  int round;

  snprintf(names[0], sizeof(names[0]), "spawn.return%s", suffix);
  snprintf(names[1], sizeof(names[1]), "spawn.wait%s", suffix);
  if (!wanted(names[0]) && !wanted(names[1])) return;
  for (round = 0; round < ROUNDS && (round < 5 || bench_now() - start < LONGEST); round++) {
    int64_t began = bench_now(), started = peer->spawn(child);

    samples_add(&returned, (double)(started - began));
    samples_add(&reaped, (double)(bench_now() - began));
  }
  if (wanted(names[0])) printf("%s\t%s\t%.4g\n", names[0], peer->name, samples_median(&returned) / 1000);
  if (wanted(names[1])) printf("%s\t%s\t%.4g\n", names[1], peer->name, samples_median(&reaped) / 1000);
  samples_free(&returned);
  samples_free(&reaped);
}

#define FIRST 100 /* above what a library has open for itself */

/* They stay open: the next row has more. */
static bool open_up_to(int count) {
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC), fd = null;

  while (fd >= 0 && fd < count) fd = fcntl(null, F_DUPFD_CLOEXEC, FIRST);
  close(null);
  return fd >= count;
}

static void close_from(int first, int last) {
  for (; first <= last; first++) close(first);
}

static void with_memory(const struct peer *peer) {
  size_t size = (size_t)1 << 30;
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED) return;
  memset(memory, 1, size);
  spawn_rows(peer, ".rss1g");
  munmap(memory, size);
}

static void cat_row(const struct peer *peer) {
  int64_t began = bench_now();

  if (peer->cat == NULL || !wanted("communicate.cat")) return;
  peer->cat(peer->total);
  printf("communicate.cat\t%s\t%.4g\n", peer->name,
         (double)(bench_now() - began) / 1e9 * (double)((size_t)1 << 30) / (double)peer->total);
}

int peer_main(int argc, char **argv, const struct peer *peer) {
  struct rlimit limit;

  if (argc < 2) return 2;
  child = argv[1];
  if (argc > 2) only = argv[2];
  spawn_rows(peer, "");
  bench_need(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (open_up_to(1000)) spawn_rows(peer, ".fds1000");
  if (open_up_to(15000)) spawn_rows(peer, ".fds15000");
  close_from(FIRST, 15000);
  if (wanted("spawn.return.rss1g") || wanted("spawn.wait.rss1g")) with_memory(peer);
  cat_row(peer);
  return 0;
}
