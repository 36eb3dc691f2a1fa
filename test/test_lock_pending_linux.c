/* SPDX-License-Identifier: MIT */
/* What very many waits of one thread cost the process, and that nothing is left of them. */
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel.h"
#include "support_unix.h"

#define WAITS 1000
/* At least: where all is slow a helper may not be ready in time, and then that wait asks again. */
#define QUEUED (slowness() > 1 ? 500 : 900)
#define HANDLES 5 /* of one wait: its file, the helper's socket and pidfd, and two to be polled by */

/* The stack, its guard page and what there is on the heap. */
#define MAPPED_KIB (64 + 4 + 4)
#define USED_KIB 16

static safe_lock_wait *waits[WAITS];

/* A line of /proc/self/status. */
static long of_status(const char *name) {
  FILE *file = fopen("/proc/self/status", "re");
  char line[256];
  long value = -1;

  assert_non_null(file);
  while (fgets(line, sizeof(line), file) != NULL)
    if (strncmp(line, name, strlen(name)) == 0) value = atol(line + strlen(name) + 1);
  fclose(file);
  assert_true(value >= 0);
  return value;
}

/* The processes of /proc whose parent is this one. */
static int count_children(void) {
  DIR *proc = opendir("/proc");
  struct dirent *entry;
  char path[300], text[512], *end;
  int count = 0, parent;
  FILE *file;

  assert_non_null(proc);
  while ((entry = readdir(proc)) != NULL) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
    file = fopen(path, "re");
    if (file == NULL) continue;
    end = fgets(text, sizeof(text), file) == NULL ? NULL : strrchr(text, ')');
    if (end != NULL && sscanf(end, ") %*c %d", &parent) == 1 && parent == (int)getpid()) count++;
    fclose(file);
  }
  closedir(proc);
  return count;
}

static void allow_descriptors(void) {
  struct rlimit limit;

  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < WAITS * HANDLES + 100) {
    print_message("skipped: only %ld descriptors are allowed\n", (long)limit.rlim_cur);
    skip();
  }
}

static void begin_all(void) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int at;

  options.timeout_ms = 600000;
  options.mode = SAFE_LOCK_SHARED;
  for (at = 0; at < WAITS; at++) {
    if (safe_lock_begin(&waits[at], "pending", &options, &error) != SAFE_OK) fail_msg("%d: %s", at, error.message);
    assert_true(safe_lock_wait_handle(waits[at]) != SAFE_INVALID_HANDLE);
  }
}

/* Of the sanitizers' allocators it could not be told whose the memory is. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_IS_OURS false
#else
#define MEMORY_IS_OURS true
#endif

static void a_thousand_waits(void **state) {
  int handles, at, queued = 0;
  long mapped, used, threads;
  safe_lock *held, *lock;

  (void)state;
  if (!safe__clone_works()) skip(); /* then they are no more than memory */
  allow_descriptors();
  assert_code(safe_lock_file(&held, "pending", NULL, NULL), SAFE_OK);
  assert_code(safe_shutdown(5000), SAFE_OK);
  handles = count_handles();
  mapped = of_status("VmSize:");
  used = of_status("VmRSS:");
  threads = of_status("Threads:");

  begin_all();
  print_message("%d waits: %d descriptors, %d processes, %ld KiB mapped, %ld KiB used\n", WAITS,
                count_handles() - handles, count_children(), of_status("VmSize:") - mapped, of_status("VmRSS:") - used);
  assert_in_range(count_children(), QUEUED, WAITS);
  assert_int_equal(of_status("Threads:"), threads);
  assert_in_range(count_handles() - handles, WAITS, WAITS * HANDLES);
  if (MEMORY_IS_OURS) {
    assert_in_range(of_status("VmSize:") - mapped, 0, WAITS * MAPPED_KIB);
    assert_in_range(of_status("VmRSS:") - used, 0, WAITS * USED_KIB);
  }

  /* Every second one is taken back, and the others are granted. */
  for (at = 0; at < WAITS; at += 2) safe_lock_wait_cancel(waits[at]);
  assert_code(safe_lock_wait_poll(waits[1]), SAFE_EAGAIN);
  assert_code(safe_unlock(held), SAFE_OK);
  for (at = 1; at < WAITS; at += 2) {
    assert_true(becomes_ready(safe_lock_wait_handle(waits[at]), 20000));
    assert_code(safe_lock_finish(waits[at], &lock, NULL), SAFE_OK);
    queued += safe_lock_wait_kind(lock) == SAFE_WAIT_QUEUED;
    assert_code(safe_unlock(lock), SAFE_OK);
  }
  assert_in_range(queued, QUEUED - WAITS / 2, WAITS / 2);
  assert_code(safe_shutdown(20000), SAFE_OK);
  assert_int_equal(safe_parked_count(), 0);
  assert_int_equal(count_children(), 0);
  assert_int_equal(count_handles(), handles - 1); /* without the lock that was held */
  if (MEMORY_IS_OURS) assert_in_range(of_status("VmSize:"), 0, mapped + 4096);
}

/* They are taken back one by one, each within what is promised. */
static void a_thousand_cancels(void **state) {
  int64_t began, longest = 0, all;
  safe_lock *held;
  int handles, at;

  (void)state;
  if (!safe__clone_works()) skip();
  allow_descriptors();
  assert_code(safe_shutdown(5000), SAFE_OK);
  handles = count_handles();
  assert_code(safe_lock_file(&held, "pending", NULL, NULL), SAFE_OK);
  begin_all();
  all = now_ms();
  for (at = 0; at < WAITS; at++) {
    began = now_ms();
    safe_lock_wait_cancel(waits[at]);
    if (now_ms() - began > longest) longest = now_ms() - began;
  }
  print_message("%d cancels: %d ms, the longest %d ms\n", WAITS, (int)(now_ms() - all), (int)longest);
  assert_in_range(longest, 0, 100 + 200 * slowness());
  assert_code(safe_unlock(held), SAFE_OK);
  assert_code(safe_shutdown(20000), SAFE_OK);
  assert_int_equal(count_children(), 0);
  assert_int_equal(count_handles(), handles);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_thousand_waits),
    cmocka_unit_test(a_thousand_cancels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
