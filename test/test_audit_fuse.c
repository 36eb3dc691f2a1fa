/* SPDX-License-Identifier: MIT */
/* An audit asks no file system: here is one that answers nothing any more, and whatever asks it hangs. */
#include <fcntl.h>
#include <unistd.h>

#include "fuse_mount.h"

#define HANG_S 20 /* then the test is ended by a signal */

static void expect_leak(const safe_handle_list *list, int fd, int32_t kind, const char *end) {
  const safe_leak *leak = NULL;
  size_t at;

  for (at = 0; at < safe_handle_list_count(list); at++)
    if (safe_handle_list_get(list, at)->handle == fd) leak = safe_handle_list_get(list, at);
  assert_non_null(leak);
  if (leak->kind != kind || strlen(leak->what) < strlen(end) ||
      strcmp(leak->what + strlen(leak->what) - strlen(end), end) != 0)
    fail_msg("%d is told to be of kind %d, %s", fd, (int)leak->kind, leak->what);
}

static int open_plainly(const char *path, int flags) {
  int fd = open(path, flags);

  assert_true(fd >= 0);
  return fd;
}

static void a_file_system_that_is_dead(void **state) {
  safe_error error = SAFE_ERROR_INIT;
  safe_handle_list *list;
  int file, folder, folder_as_such, code;
  int64_t start;

  (void)state;
  fuse_start();
  file = open_plainly(MOUNT "/plain", O_RDWR);
  folder = open_plainly(MOUNT, O_RDONLY);
  folder_as_such = open_plainly(MOUNT, O_RDONLY | O_DIRECTORY);
  fuse_stop(1);
  alarm(HANG_S);
  start = now_ms();
  code = safe_audit_handles(NULL, &list, &error);
  print_message("an audit: %d ms\n", (int)(now_ms() - start));
  alarm(0);
  fuse_stop(0);
  if (code != SAFE_OK) fail_msg("%s", error.message);
  expect_leak(list, file, SAFE_KIND_FILE, "/" MOUNT "/plain");
  expect_leak(list, folder, SAFE_KIND_FOLDER, "/" MOUNT);
  expect_leak(list, folder_as_such, SAFE_KIND_FOLDER, "/" MOUNT);
  safe_handle_list_free(list);
  close(file);
  close(folder);
  close(folder_as_such);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(a_file_system_that_is_dead, fuse_end)};

  return cmocka_run_group_tests(tests, NULL, NULL);
}
