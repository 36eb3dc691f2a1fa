/* SPDX-License-Identifier: MIT */
/* What a lock file's path may be on Windows, and what is refused. */
#include "test_win.h"

static char path[1024];

static void paths_that_are_no_files(void **state) {
  HANDLE pipe = CreateNamedPipeA("\\\\.\\pipe\\safehold-test-not-a-file", PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL);
  char other[1200];

  (void)state;
  assert_int_equal(refusal("C:\\windows", SAFE_LOCK_CREATE), SAFE_EISDIR);
  assert_int_equal(refusal("C:\\windows\\", SAFE_LOCK_CREATE), SAFE_EISDIR);
  assert_int_equal(refusal(".", SAFE_LOCK_CREATE), SAFE_EISDIR);
  assert_int_equal(refusal("C:\\windows", SAFE_LOCK_FOLLOW_SYMLINKS), SAFE_EISDIR);
  assert_int_equal(refusal("NUL", SAFE_LOCK_CREATE), SAFE_ENOTREG);
  assert_int_equal(refusal("nul", 0), SAFE_ENOTREG);
  assert_int_equal(refusal("CON", SAFE_LOCK_CREATE), SAFE_ENOTREG);
  assert_int_equal(refusal("COM1", SAFE_LOCK_CREATE), SAFE_ENOTREG);
  assert_int_equal(refusal("\\\\.\\PhysicalDrive0", SAFE_LOCK_CREATE), SAFE_ENOTREG);
  /* Nor is the pipe so much as opened: its server is still waiting for a first client. */
  assert_true(pipe != INVALID_HANDLE_VALUE);
  assert_int_equal(refusal("\\\\.\\pipe\\safehold-test-not-a-file", SAFE_LOCK_CREATE), SAFE_ENOTREG);
  assert_true(WaitNamedPipeA("\\\\.\\pipe\\safehold-test-not-a-file", 1));
  CloseHandle(pipe);

  join(other, sizeof(other), "no-folder\\file");
  assert_int_equal(refusal(other, SAFE_LOCK_CREATE), SAFE_ENOENT);
  join(other, sizeof(other), "no-file");
  assert_int_equal(refusal(other, 0), SAFE_ENOENT);
  assert_int_equal(GetFileAttributesA(other), INVALID_FILE_ATTRIBUTES);
  assert_int_equal(refusal("\xff.lock", SAFE_LOCK_CREATE), SAFE_EINVAL);
  assert_int_equal(refusal("a|b*c.lock", SAFE_LOCK_CREATE), SAFE_EINVAL);
}

static void links_are_refused(void **state) {
  FILE_ATTRIBUTE_TAG_INFO found;
  char link[1200];
  HANDLE opened;
  bool seen;

  (void)state;
  join(link, sizeof(link), "link.lock");
  DeleteFileA(link);
  if (!CreateSymbolicLinkA(link, path, SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE)) {
    print_message("skipped: no symbolic link can be made here\n");
    skip();
  }
  /* Wine up to 8 makes a symbolic link of the host's, and opens what it leads to whatever it is asked. */
  opened = CreateFileA(link, FILE_READ_ATTRIBUTES, 7, NULL, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
  seen = GetFileInformationByHandleEx(opened, FileAttributeTagInfo, &found, sizeof(found)) &&
         (found.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
  CloseHandle(opened);
  if (!seen) {
    DeleteFileA(link);
    print_message("skipped: this Wine follows a symbolic link that is to be opened itself\n");
    skip();
  }
  assert_int_equal(refusal(link, SAFE_LOCK_CREATE), SAFE_ESYMLINK);
  assert_int_equal(refusal(link, SAFE_LOCK_CREATE | SAFE_LOCK_FOLLOW_SYMLINKS), SAFE_OK);
  DeleteFileA(link);
}

static void read_only_files(void **state) {
  char file[1200];
  safe_error error;
  safe_lock *lock, *other;
  HANDLE writable;

  (void)state;
  join(file, sizeof(file), "read-only.lock");
  assert_int_equal(refusal(file, SAFE_LOCK_CREATE), SAFE_OK);
  assert_true(SetFileAttributesA(file, FILE_ATTRIBUTE_READONLY));
  writable = CreateFileA(file, GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
  if (writable != INVALID_HANDLE_VALUE) { /* Wine run by root */
    CloseHandle(writable);
    print_message("skipped: this user may write to a read-only file, as root may under Wine\n");
    skip();
  }
  assert_int_equal(refusal(file, SAFE_LOCK_CREATE), SAFE_EACCES);
  assert_int_equal(lock_as(&lock, file, SAFE_LOCK_SHARED, SAFE_NO_WAIT, SAFE_LOCK_CREATE, &error), SAFE_OK);
  assert_int_equal(lock_as(&other, file, SAFE_LOCK_SHARED, SAFE_NO_WAIT, SAFE_LOCK_CREATE, &error), SAFE_OK);
  assert_int_equal(safe_unlock(lock), SAFE_OK);
  assert_int_equal(safe_unlock(other), SAFE_OK);
  SetFileAttributesA(file, FILE_ATTRIBUTE_NORMAL);
  DeleteFileA(file);
}

static void unshared_by_another_program(void **state) {
  char file[1200];
  safe_error error;
  safe_lock *lock;
  HANDLE greedy;

  (void)state;
  join(file, sizeof(file), "greedy.lock");
  greedy = CreateFileA(file, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
  assert_int_equal(lock_as(&lock, file, SAFE_LOCK_EXCLUSIVE, SAFE_NO_WAIT, SAFE_LOCK_CREATE, &error), SAFE_EACCES);
  assert_int_equal(error.os_code, ERROR_SHARING_VIOLATION);
  assert_non_null(strstr(error.message, "without sharing"));
  CloseHandle(greedy);
}

static void names_of_all_kinds(void **state) {
  char file[1200], long_name[1200];
  size_t at;

  (void)state;
  join(file, sizeof(file), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 .lock");
  assert_int_equal(refusal(file, SAFE_LOCK_CREATE), SAFE_OK);
  assert_int_equal(refusal("relative.lock", SAFE_LOCK_CREATE), SAFE_OK);
  DeleteFileA("relative.lock");
  /* Longer than MAX_PATH. */
  join(long_name, sizeof(long_name), "");
  for (at = 0; at < 2; at++) {
    wchar_t *wide;

    snprintf(long_name + strlen(long_name), sizeof(long_name) - strlen(long_name), "%0150d", (int)at);
    assert_int_equal(safe__win_path(long_name, &wide), SAFE_OK);
    if (at == 0) CreateDirectoryW(wide, NULL);
    safe__free(wide);
    if (at == 0) strcat(long_name, "\\");
  }
  assert_true(strlen(long_name) > 300);
  assert_int_equal(refusal(long_name, SAFE_LOCK_CREATE), SAFE_OK);
}

static int set_up_group(void **state) {
  (void)state;
  join(path, sizeof(path), "the.lock");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(paths_that_are_no_files), cmocka_unit_test(links_are_refused),
    cmocka_unit_test(read_only_files),         cmocka_unit_test(unshared_by_another_program),
    cmocka_unit_test(names_of_all_kinds),
  };

  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
