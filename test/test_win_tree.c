/* SPDX-License-Identifier: MIT */
/* All that a child starts ends with it: a job has no holes. And who may leave, where that was allowed. */
#include "test_win_child.h"

#include "process.h"

static bool runs(DWORD pid) {
  HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);
  bool does = process != NULL && WaitForSingleObject(process, 0) == WAIT_TIMEOUT;

  if (process != NULL) CloseHandle(process);
  return does;
}

/* Reads what the child writes until the text has so many lines. */
static int read_lines(HANDLE out, char *text, size_t room, int wanted) {
  int64_t deadline = safe__deadline(slow(30000));
  DWORD available, got, used = 0;
  int lines = 0;

  while (lines < wanted && used < room - 1 && safe__os_now() < deadline) {
    OVERLAPPED overlapped = {0};
    char byte;

    if (!PeekNamedPipe(out, NULL, 0, NULL, &available, NULL)) break;
    if (available == 0) {
      Sleep(5);
      continue;
    }
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!ReadFile(out, &byte, 1, NULL, &overlapped) && GetLastError() != ERROR_IO_PENDING) break;
    if (GetOverlappedResult(out, &overlapped, &got, TRUE) && got == 1) text[used++] = byte;
    CloseHandle(overlapped.hEvent);
    if (used > 0 && text[used - 1] == '\n') lines++;
  }
  text[used] = '\0';
  return lines;
}

/* 1 + 2 + 4 + ... + 64 = 127 processes, in groups of their own and detached ones, each with what it inherited. */
static void a_bomb_of_processes(void **state) {
  const char *argv[] = {self, "bomb", "6", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  static char text[8192];
  safe_process *process;
  int64_t began;
  int count, alive = 0;
  char *at;
  HANDLE out;

  (void)state;
  options.out.kind = SAFE_STDIO_PIPE;
  process = start_child(argv, &options);
  out = safe_process_take_pipe(process, 1);
  count = read_lines(out, text, sizeof(text), 100);
  stop.grace_ms = 0;
  began = safe__os_now();
  safe_process_stop(process, &stop, NULL, NULL);
  while (ms_since(began) < 1000) {
    for (alive = 0, at = text; *at != '\0'; at = strchr(at, '\n') + 1) alive += runs((DWORD)atoi(at));
    if (alive == 0) break;
    Sleep(10);
  }
  print_message("%d processes, %d of them alive %ld ms after the stop\n", count, alive, (long)ms_since(began));
  assert_true(count >= 100);
  assert_int_equal(alive, 0);
  CloseHandle(out);
  safe_process_free(process);
}

static void who_may_break_away(void **state) {
  static const int32_t trees[] = {SAFE_TREE_DEFAULT, SAFE_TREE_GROUP, SAFE_TREE_WHOLE};
  size_t at;

  (void)state;
  for (at = 0; at < COUNT(trees); at++) {
    const char *argv[] = {self, "break-away", NULL};
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
    bool may = trees[at] == SAFE_TREE_GROUP;
    char text[256], *number;
    safe_process *process;
    HANDLE out, left;

    options.tree = trees[at];
    options.out.kind = SAFE_STDIO_PIPE;
    process = start_child(argv, &options);
    out = safe_process_take_pipe(process, 1);
    assert_int_equal(read_lines(out, text, sizeof(text), may ? 2 : 1), may ? 2 : 1);
    number = strstr(text, "pid ");
    assert_int_equal(number != NULL, may);
    stop.grace_ms = 0;
    assert_int_equal(safe_process_stop(process, &stop, NULL, NULL), SAFE_OK);
    if (may) {
      assert_true(runs((DWORD)atoi(number + 4)));
      left = OpenProcess(PROCESS_TERMINATE, FALSE, (DWORD)atoi(number + 4));
      TerminateProcess(left, 0);
      CloseHandle(left);
    }
    CloseHandle(out);
    safe_process_free(process);
  }
}

/* A host that let go of its child, and was killed: the child goes too. */
static void a_child_dies_with_its_host(void **state) {
  const char *argv[] = {self, "host", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *host;
  char text[64];
  HANDLE out, child, process;

  (void)state;
  options.out.kind = SAFE_STDIO_PIPE;
  options.tree = SAFE_TREE_GROUP;
  host = start_child(argv, &options);
  out = safe_process_take_pipe(host, 1);
  assert_int_equal(read_lines(out, text, sizeof(text), 1), 1);
  child = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)atoi(text));
  assert_non_null(child);
  assert_int_equal(WaitForSingleObject(child, 300), WAIT_TIMEOUT);
  process = host->child.process; /* that one alone, and not by its job */
  assert_true(TerminateProcess(process, 9));
  assert_int_equal(WaitForSingleObject(child, (DWORD)slow(2000)), WAIT_OBJECT_0);
  CloseHandle(child);
  CloseHandle(out);
  safe_process_stop(host, NULL, NULL, NULL);
  safe_process_free(host);
}

/* Our own hold on such a child is let go of when it has ended, and not before. */
static void a_leash_is_kept_and_given_back(void **state) {
  const char *argv[] = {self, "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;
  HANDLE child;

  (void)state;
  options.flags = SAFE_SPAWN_DIE_WITH_HOST;
  process = start_child(argv, &options);
  child = OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE, (DWORD)safe_process_pid(process));
  assert_non_null(child);
  safe_process_free(process);
  assert_int_equal(WaitForSingleObject(child, 300), WAIT_TIMEOUT);
  assert_int_equal(safe_parked_count(), 1);
  assert_true(TerminateProcess(child, 0));
  assert_int_equal(WaitForSingleObject(child, 5000), WAIT_OBJECT_0);
  CloseHandle(child);
  assert_int_equal(safe_shutdown(slow(5000)), SAFE_OK);
  assert_int_equal(safe_parked_count(), 0);
}

static void what_it_used(void **state) {
  const char *argv[] = {self, "exit", "0", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process = start_child(argv, &options);

  (void)state;
  assert_int_equal(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_in_range(status.user_us, 0, 60000000);
  assert_in_range(status.system_us, 0, 60000000);
  assert_true(status.peak_memory == -1 || status.peak_memory > 4096);
  safe_process_free(process);
}

int main(int count, char **args) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_bomb_of_processes),
    cmocka_unit_test(who_may_break_away),
    cmocka_unit_test(a_child_dies_with_its_host),
    cmocka_unit_test(a_leash_is_kept_and_given_back),
    cmocka_unit_test(what_it_used),
  };

  if (count > 1) return play_child(count, args);
  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
