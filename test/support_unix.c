/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#include "support.h"

void make_folder(const char *path) { assert_int_equal(mkdir(path, 0755), 0); }

bool on_wine(void) { return false; }

int count_handles(void) {
  DIR *folder = opendir("/dev/fd");
  int count = 0;

  assert_non_null(folder);
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

bool becomes_ready(safe_handle handle, int64_t ms) {
  struct pollfd ready = {handle, POLLIN, 0};

  return poll(&ready, 1, (int)ms) == 1;
}

struct work {
  void (*run)(void *);
  void *argument;
};

static void *do_work(void *argument) {
  struct work *work = argument;

  work->run(work->argument);
  return NULL;
}

void in_another_thread(void (*run)(void *), void *argument) {
  struct work work = {run, argument};
  pthread_t thread;

  assert_int_equal(pthread_create(&thread, NULL, do_work, &work), 0);
  pthread_join(thread, NULL);
}
