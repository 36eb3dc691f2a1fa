/* SPDX-License-Identifier: MIT */
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "peer.h"

static int64_t spawn(const char *child) {
  char *argv[] = {(char *)child, NULL}, *env[] = {NULL};
  int64_t started;
  GPid pid;

  bench_need(g_spawn_async(NULL, argv, env, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL), "g_spawn_async");
  started = bench_now();
  bench_need(waitpid(pid, NULL, 0) == pid, "waitpid");
  return started;
}

/* It keeps all of the output: hence not the whole 1 GiB at once. */
static void cat(size_t total) {
  GSubprocess *process =
    g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, "/bin/cat", NULL);
  char *bytes = g_malloc(total);
  GBytes *input, *output;

  memset(bytes, 'x', total);
  input = g_bytes_new_take(bytes, total);
  bench_need(process != NULL && g_subprocess_communicate(process, input, NULL, &output, NULL, NULL),
             "g_subprocess_communicate");
  bench_need(g_bytes_get_size(output) == total, "cat");
  g_bytes_unref(input);
  g_bytes_unref(output);
  g_object_unref(process);
}

int main(int argc, char **argv) {
  static struct peer peer = {NULL, spawn, cat, (size_t)256 << 20};
  char name[64];

  snprintf(name, sizeof(name), "GLib %u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version);
  peer.name = name;
  return peer_main(argc, argv, &peer);
}
