/* SPDX-License-Identifier: MIT */
/* 1 GiB through cat, in and out at once, against a poll loop over pipes of the same size; and what memory it takes. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "safehold.h"

#define TOTAL ((size_t)1 << 30)
#define REAL ((size_t)256 * 1024) /* of memory behind the input, again and again: as much as the peers write from */
#define CAP ((size_t)1 << 20)

/* Of pipes of 64 KiB to 1 MiB, and chunks of as much, none were faster than these. */
#define WIDE (512 * 1024)
#define CHUNK ((size_t)256 * 1024)

static const char cat[] = "/bin/cat";

static char *make_input(void) {
  int fd = memfd_create("input", MFD_CLOEXEC);
  char *input = mmap(NULL, TOTAL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  size_t at;

  bench_need(fd >= 0 && ftruncate(fd, (off_t)REAL) == 0 && input != MAP_FAILED, "memory for the input");
  for (at = 0; at < TOTAL; at += REAL)
    bench_need(mmap(input + at, REAL, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) !=
                 MAP_FAILED,
               "mmap");
  memset(input, 'x', REAL);
  close(fd);
  return input;
}

static void raw_pipe(int fds[2], int ours) {
  bench_need(pipe2(fds, O_CLOEXEC) == 0, "pipe");
  fcntl(fds[ours], F_SETPIPE_SZ, WIDE);
  fcntl(fds[ours], F_SETFL, O_NONBLOCK);
}

static size_t pump(int in, int out, const char *input, char *buffer) {
  struct pollfd ready[2] = {{in, POLLOUT, 0}, {out, POLLIN, 0}};
  size_t sent = 0, got = 0, chunk;
  ssize_t moved;

  for (;;) {
    poll(ready, 2, -1);
    if (ready[0].revents != 0) {
      chunk = TOTAL - sent < CHUNK ? TOTAL - sent : CHUNK;
      moved = write(in, input + sent, chunk);
      if (moved > 0) sent += (size_t)moved;
      if (sent == TOTAL) {
        close(in);
        ready[0].fd = -1;
      }
    }
    if (ready[1].revents != 0) {
      moved = read(out, buffer, CHUNK);
      if (moved == 0) return got;
      if (moved > 0) got += (size_t)moved;
    }
  }
}

static double raw_cat(const char *input) {
  static char buffer[CHUNK];
  int64_t began = bench_now();
  int in[2], out[2];
  pid_t child;

  raw_pipe(in, 1);
  raw_pipe(out, 0);
  child = vfork();
  if (child == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    execl(cat, cat, (char *)NULL);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  bench_need(pump(in[1], out[0], input, buffer) == TOTAL, "cat");
  close(out[0]);
  bench_need(waitpid(child, NULL, 0) == child, "waitpid");
  return (double)(bench_now() - began);
}

static void run_cat(safe_communicate_options *talk) {
  const char *const argv[] = {cat, NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  options.argv = argv;
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  talk->out.limit = CAP;
  talk->timeout_ms = 600000;
  if (safe_spawn(&process, &options, &error) != 0 || safe_process_communicate(process, talk, &output, &error) != 0) {
    fprintf(stderr, "%s\n", error.message);
    exit(1);
  }
  bench_need(output.out_total == TOTAL && output.out_length == CAP, "safe_process_communicate");
  safe_process_free(process);
  safe_output_free(&output);
}

static double our_cat(const char *input, int32_t keep) {
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  int64_t began = bench_now();

  talk.input = input;
  talk.input_length = TOTAL;
  talk.out.keep = keep;
  run_cat(&talk);
  return (double)(bench_now() - began);
}

/* ---- Memory: in a process of its own, whose input is not in memory. */

static int64_t give(void *context, void *buffer, size_t room) {
  size_t *left = context, length = room < *left ? room : *left;

  memset(buffer, 'x', length);
  *left -= length;
  return (int64_t)length;
}

/* VmHWM, the most that was resident, in KiB. */
static long peak(void) {
  char line[256];
  long found = 0;
  FILE *file = fopen("/proc/self/status", "re");

  while (file != NULL && found == 0 && fgets(line, sizeof(line), file) != NULL) sscanf(line, "VmHWM: %ld", &found);
  if (file != NULL) fclose(file);
  return found;
}

static void reset_peak(void) {
  int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

  bench_need(fd >= 0 && write(fd, "5", 1) == 1, "/proc/self/clear_refs");
  close(fd);
}

static double peak_beyond_cap(int32_t keep) {
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  size_t left = TOTAL;
  double beyond = 0;
  long before;
  int fds[2];
  pid_t child;

  bench_need(pipe(fds) == 0, "pipe");
  child = fork();
  if (child == 0) {
    reset_peak();
    before = peak();
    talk.input_function = give;
    talk.input_context = &left;
    talk.out.keep = keep;
    run_cat(&talk);
    beyond = (double)(peak() - before) / 1024 - (double)CAP / (1 << 20);
    _exit(write(fds[1], &beyond, sizeof(beyond)) == sizeof(beyond) ? 0 : 1);
  }
  close(fds[1]);
  bench_need(read(fds[0], &beyond, sizeof(beyond)) == sizeof(beyond), "the memory of safe_process_communicate");
  close(fds[0]);
  waitpid(child, NULL, 0);
  return beyond;
}

static void through_cat(const char *name, const char *input, int32_t keep) {
  struct samples ours = {0}, raw = {0};
  double beyond;
  char extra[64];
  int round;

  if (!bench_wanted(name)) return;
  beyond = peak_beyond_cap(keep); /* before anything has left memory that could be used again */
  for (round = 0; round < bench_rounds(20); round++) {
    samples_add(&ours, our_cat(input, keep));
    samples_add(&raw, raw_cat(input));
  }
  snprintf(extra, sizeof(extra), "mib_beyond_cap=%.2f", beyond);
  bench_report(name, "s", 1e9, &ours, &raw, extra);
}

void bench_communicate(void) {
  char *input;

  if (!bench_wanted("communicate")) return;
  input = make_input();
  through_cat("communicate.cat", input, SAFE_KEEP_HEAD);
  through_cat("communicate.cat.tail", input, SAFE_KEEP_TAIL);
  munmap(input, TOTAL);
}
