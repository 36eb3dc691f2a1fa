/* SPDX-License-Identifier: MIT */
/* In a host that runs libuv, which takes SIGCHLD and reaps its own children: neither gets in the other's way. */
#include <uv.h>

#include "support.h"

#define ROUNDS 20

static int uv_exits;
static int64_t uv_status;

static void on_uv_exit(uv_process_t *process, int64_t status, int signal) {
  uv_exits++;
  uv_status = signal != 0 ? -signal : status;
  uv_close((uv_handle_t *)process, NULL);
}

static void both_get_their_own_statuses(void **state) {
  uv_loop_t loop;
  int round;

  (void)state;
  assert_int_equal(uv_loop_init(&loop), 0);
  for (round = 0; round < ROUNDS; round++) {
    char *argv[] = {"helper", "exit", "5", NULL};
    const char *const ours[] = {"helper", "exit", "6", NULL};
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    uv_process_options_t theirs;
    safe_exit status = SAFE_EXIT_INIT;
    safe_process *process;
    uv_process_t uv_process;

    memset(&theirs, 0, sizeof(theirs));
    theirs.file = helper_path();
    theirs.args = argv;
    theirs.exit_cb = on_uv_exit;
    options.file = helper_path();
    options.argv = ours;
    assert_int_equal(uv_spawn(&loop, &uv_process, &theirs), 0);
    assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
    if (round % 2 == 0) assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
    assert_int_equal(status.kind, SAFE_EXIT_CODE);
    assert_int_equal(status.code, 6);
    assert_int_equal(uv_exits, round + 1);
    assert_int_equal(uv_status, 5);
    safe_process_free(process);
  }
  assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(both_get_their_own_statuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
