/* SPDX-License-Identifier: MIT */
#include <apr_general.h>
#include <apr_poll.h>
#include <apr_thread_proc.h>
#include <apr_version.h>
#include <stdio.h>
#include <string.h>

#include "peer.h"

#define CHUNK ((size_t)256 * 1024)

static apr_pool_t *pool;

static void start(apr_proc_t *process, const char *program, apr_int32_t streams, apr_pool_t *pool_of_it) {
  const char *argv[] = {program, NULL}, *env[] = {NULL};
  apr_procattr_t *attributes;

  apr_procattr_create(&attributes, pool_of_it);
  apr_procattr_io_set(attributes, streams, streams, APR_NO_PIPE);
  apr_procattr_cmdtype_set(attributes, APR_PROGRAM);
  bench_need(apr_proc_create(process, program, argv, env, attributes, pool_of_it) == APR_SUCCESS, "apr_proc_create");
}

static void finish(apr_proc_t *process) {
  apr_exit_why_e why;
  int code;

  bench_need(APR_STATUS_IS_CHILD_DONE(apr_proc_wait(process, &code, &why, APR_WAIT)), "apr_proc_wait");
}

static int64_t spawn(const char *child) {
  apr_pool_t *own;
  apr_proc_t process;
  int64_t started;

  apr_pool_create(&own, pool);
  start(&process, child, APR_NO_PIPE, own);
  started = bench_now();
  finish(&process);
  apr_pool_destroy(own);
  return started;
}

static apr_pollfd_t watch(apr_file_t *file, apr_int16_t events) {
  apr_pollfd_t watched = {0};

  watched.p = pool;
  watched.desc_type = APR_POLL_FILE;
  watched.desc.f = file;
  watched.reqevents = events;
  return watched;
}

static void cat(size_t total) {
  static char input[CHUNK], output[CHUNK];
  apr_pollfd_t watched[2];
  apr_proc_t process;
  apr_size_t length;
  apr_int32_t count;
  apr_status_t status;
  size_t left = total, got = 0;
  int open = 2;

  memset(input, 'x', sizeof(input));
  start(&process, "/bin/cat", APR_CHILD_BLOCK, pool);
  watched[0] = watch(process.out, APR_POLLIN);
  watched[1] = watch(process.in, APR_POLLOUT);
  for (;;) {
    bench_need(apr_poll(watched, open, &count, -1) == APR_SUCCESS, "apr_poll");
    if (open == 2 && watched[1].rtnevents != 0) {
      length = left < CHUNK ? left : CHUNK;
      apr_file_write(process.in, input, &length);
      left -= length;
      if (left == 0) {
        apr_file_close(process.in);
        open = 1;
      }
    }
    if (watched[0].rtnevents == 0) continue;
    length = CHUNK;
    status = apr_file_read(process.out, output, &length);
    got += length;
    if (APR_STATUS_IS_EOF(status)) break;
  }
  finish(&process);
  bench_need(got == total, "cat");
}

int main(int argc, char **argv) {
  static struct peer peer = {NULL, spawn, cat, (size_t)1 << 30};
  char name[64];

  apr_initialize();
  apr_pool_create(&pool, NULL);
  snprintf(name, sizeof(name), "APR %s", apr_version_string());
  peer.name = name;
  return peer_main(argc, argv, &peer);
}
