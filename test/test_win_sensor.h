/* SPDX-License-Identifier: MIT */
/* What the tests of the wait with a sensor share. Included once a program, after nothing else. */
#ifndef SAFEHOLD_TEST_WIN_SENSOR_H
#define SAFEHOLD_TEST_WIN_SENSOR_H

#include "test_win.h"

#include "support.h"
#include "test_win_kernel.h"
#include "timed_wait.h"

static const struct safe__claim whole = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, 0, 0};
static char path[1024];
static DWORD handles_before;

/* ---- One wait, as attempt.c does it. */

static inline HANDLE open_handle(void) {
  HANDLE handle = CreateFileA(path, GENERIC_READ | GENERIC_WRITE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_ALWAYS, 0, NULL);

  assert_true(handle != INVALID_HANDLE_VALUE);
  kernel_add_caller(handle);
  return handle;
}

static inline int run(struct safe__file *file, const struct safe__claim *claim, int64_t timeout_ms,
                      safe_cancel *cancel) {
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};
  struct safe__wait wait;
  safe_error error;
  int code = safe__win_sensor_queue(file, claim, &wait, &error), given_up;

  if (code != SAFE_OK) return code;
  code = safe__wait_until(&wait, safe__deadline(timeout_ms), &none, cancel, false, &error);
  if (wait.calls == NULL) return code;
  given_up = safe__wait_give_up(&wait, &error);
  if (given_up == SAFE_OK && code == SAFE_ETIMEDOUT) return SAFE_OK;
  if (given_up == SAFE_OK) safe__os_unlock(file, claim);
  return given_up == SAFE_OK || given_up == SAFE_EBUSY ? code : given_up;
}

static struct safe__file file;
static HANDLE mine;

static inline int set_up(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error;

  (void)state;
  handles_before = handle_count();
  kernel_start();
  mine = open_handle();
  return safe__os_file_borrow(&file, mine, &options, &error) == SAFE_OK ? 0 : -1;
}

/* Whatever happened: every lock was given back by hand, for nobody knows when the kernel gets to a closed file's. */
static inline int tear_down(void **state) {
  int left = kernel_locks(), requests = kernel_requests(), blocked = kernel_violations();

  (void)state;
  safe__os_file_close(&file);
  CloseHandle(mine);
  kernel_stop();
  if (left != 0 || requests != 0 || blocked != 0 || safe_parked_count() != 0) {
    print_message("left behind: %d locks, %d requests, %d parked; %d blocked on a handle of the caller's\n", left,
                  requests, safe_parked_count(), blocked);
    return -1;
  }
  if (handle_count() == handles_before) return 0;
  print_message("left behind: %d handles\n", (int)(handle_count() - handles_before));
  return -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
