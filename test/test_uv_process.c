/* SPDX-License-Identifier: MIT */
/* Children as handles of a loop. */
#include "uv_loop.h"

struct child {
  safe_uv_process handle; /* first */
  int exits, closes;
  safe_exit status;
};

static void on_end(safe_uv_process *process, const safe_exit *status) {
  struct child *child = (struct child *)process;

  child->exits++;
  child->status = *status;
}

static void on_close(safe_uv_process *process) {
  assert_null(safe_uv_process_get(process));
  ((struct child *)process)->closes++;
}

static void close_on_exit(safe_uv_process *process, const safe_exit *status) {
  on_end(process, status);
  safe_uv_process_close(process, on_close);
  assert_true(safe_uv_process_is_closing(process));
  assert_int_equal(((struct child *)process)->closes, 0);
}

static void start(uv_loop_t *loop, struct child *child, const char *const *words, safe_uv_exit_cb callback) {
  safe_spawn_options spawn = helper_options(words);
  safe_uv_process_options options = SAFE_UV_PROCESS_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;

  memset(child, 0, sizeof(*child));
  child->handle.uv.data = child;
  options.spawn = &spawn;
  options.exit_cb = callback;
  if (safe_uv_spawn(loop, &child->handle, &options, &error) != 0) fail_msg("%s", error.message);
  assert_true(safe_uv_process_is_active(&child->handle));
  assert_true(safe_uv_process_has_ref(&child->handle));
  assert_false(safe_uv_process_is_closing(&child->handle));
  assert_true(uv_loop_alive(loop));
  assert_ptr_equal(child->handle.uv.data, child);
  assert_ptr_equal(child->handle.uv.loop, loop);
  assert_int_equal(child->handle.uv.pid, safe_process_pid(safe_uv_process_get(&child->handle)));
}

static void the_exit_is_told_and_the_handle_closed(void **state) {
  const char *const words[] = {"helper", "exit", "7", NULL};
  struct child child;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  start(&loop, &child, words, on_end);
  assert_int_equal(child.exits, 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.exits, 1);
  assert_int_equal(child.status.kind, SAFE_EXIT_CODE);
  assert_int_equal(child.status.code, 7);
  assert_false(safe_uv_process_is_active(&child.handle));
  assert_non_null(safe_uv_process_get(&child.handle));
  assert_uv(safe_uv_process_kill(&child.handle, 15), UV_ESRCH);
  safe_uv_process_close(&child.handle, on_close);
  safe_uv_process_close(&child.handle, on_close); /* once is enough */
  assert_int_equal(child.closes, 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.closes, 1);
  assert_uv(safe_uv_process_kill(&child.handle, 15), UV_ESRCH);
  close_loop(&loop);
}

static void the_exit_callback_may_close(void **state) {
  const char *const words[] = {"helper", "exit", "0", NULL};
  struct child child;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  start(&loop, &child, words, close_on_exit);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.exits, 1);
  assert_int_equal(child.closes, 1);
  assert_int_equal(child.status.code, 0);
  close_loop(&loop);
}

static void free_it(safe_uv_process *process) { free(process); }

static void close_and_free(safe_uv_process *process, const safe_exit *status) {
  assert_int_equal(status->code, 3);
  ++*(int *)process->uv.data;
  safe_uv_process_close(process, free_it);
}

static void many_at_once_each_with_its_status(void **state) {
  const char *const words[] = {"helper", "exit", "3", NULL};
  safe_spawn_options spawn = helper_options(words);
  safe_uv_process_options options = SAFE_UV_PROCESS_OPTIONS_INIT;
  safe_uv_process *process;
  uv_loop_t loop;
  int at, ended = 0;

  (void)state;
  open_loop(&loop);
  options.spawn = &spawn;
  options.exit_cb = close_and_free;
  for (at = 0; at < 20; at++) {
    process = malloc(sizeof(*process)); /* of which nothing is set */
    assert_non_null(process);
    process->uv.data = &ended;
    assert_uv(safe_uv_spawn(&loop, process, &options, NULL), 0);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(ended, 20);
  close_loop(&loop);
}

static void a_signal_ends_it(void **state) {
  const char *const words[] = {"helper", "sleep", "60000", NULL};
  struct child child;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  start(&loop, &child, words, close_on_exit);
  assert_uv(safe_uv_process_kill(&child.handle, 0), 0);
  assert_uv(safe_uv_process_kill(&child.handle, 15), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.exits, 1);
  if (child.status.kind == SAFE_EXIT_SIGNAL)
    assert_int_equal(child.status.signal, 15);
  else
    assert_int_equal(child.status.code, 1);
  close_loop(&loop);
}

static void a_running_child_can_be_let_go_of(void **state) {
  const char *const words[] = {"helper", "sleep", "150", NULL};
  struct child child;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  start(&loop, &child, words, on_end);
  safe_uv_process_close(&child.handle, on_close);
  assert_true(safe_uv_process_is_closing(&child.handle));
  assert_false(safe_uv_process_is_active(&child.handle));
  assert_null(safe_uv_process_get(&child.handle));
  assert_int_equal(child.closes, 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.closes, 1);
  assert_int_equal(child.exits, 0);
  close_loop(&loop);
  assert_code(safe_shutdown(10000), SAFE_OK); /* it has been collected */
}

static void an_unreferenced_child_does_not_keep_the_loop_alive(void **state) {
  const char *const words[] = {"helper", "sleep", "100", NULL};
  struct child child;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  start(&loop, &child, words, on_end);
  safe_uv_process_unref(&child.handle);
  assert_false(safe_uv_process_has_ref(&child.handle));
  assert_true(safe_uv_process_is_active(&child.handle));
  assert_false(uv_loop_alive(&loop));
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.exits, 0);
  safe_uv_process_ref(&child.handle);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.exits, 1);
  safe_uv_process_close(&child.handle, NULL);
  close_loop(&loop);
}

static void a_failed_start_leaves_nothing(void **state) {
  const char *const words[] = {"no such program anywhere", NULL};
  safe_spawn_options spawn = SAFE_SPAWN_OPTIONS_INIT;
  safe_uv_process_options options = SAFE_UV_PROCESS_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_uv_process process;
  uv_stdio_container_t stdio[3];
  uv_pipe_t pipes[3];
  uv_loop_t loop;
  int at, before;

  (void)state;
  open_loop(&loop);
  spawn.argv = words;
  options.spawn = &spawn;
  for (at = 0; at < 3; at++) {
    uv_pipe_init(&loop, &pipes[at], 0);
    stdio[at].flags = UV_CREATE_PIPE | (at == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
    stdio[at].data.stream = (uv_stream_t *)&pipes[at];
  }
  stdio[2].flags |= UV_READABLE_PIPE;
  options.stdio = stdio;
  options.stdio_count = 3;
  assert_uv(safe_uv_spawn(&loop, &process, &options, &error), UV_ENOENT); /* what is made once is there now */
  before = count_handles();
  assert_uv(safe_uv_spawn(&loop, &process, &options, &error), UV_ENOENT);
  assert_int_equal(error.code, SAFE_ENOENT);
  assert_int_equal(count_handles(), before);
  assert_int_equal(count_loop_handles(&loop, NULL), 3);
  for (at = 0; at < 3; at++) {
    assert_false(uv_is_active((uv_handle_t *)&pipes[at]));
    assert_false(uv_is_closing((uv_handle_t *)&pipes[at]));
    assert_false(uv_is_readable((uv_stream_t *)&pipes[at]) || uv_is_writable((uv_stream_t *)&pipes[at]));
    uv_close((uv_handle_t *)&pipes[at], NULL);
  }
  close_loop(&loop);
}

static void what_is_wrong_is_told(void **state) {
  const char *const words[] = {"helper", "exit", "0", NULL};
  safe_spawn_options spawn = helper_options(words);
  safe_uv_process_options options = SAFE_UV_PROCESS_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_uv_process process;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  assert_uv(safe_uv_spawn(&loop, &process, &options, &error), UV_EINVAL);
  options.spawn = &spawn;
  assert_uv(safe_uv_spawn(NULL, &process, &options, &error), UV_EINVAL);
  assert_uv(safe_uv_spawn(&loop, NULL, &options, &error), UV_EINVAL);
  assert_uv(safe_uv_spawn(&loop, &process, NULL, &error), UV_EINVAL);
  options.flags = 1;
  assert_uv(safe_uv_spawn(&loop, &process, &options, &error), UV_EINVAL);
  options.flags = 0;
  options.size = 0;
  assert_uv(safe_uv_spawn(&loop, &process, &options, &error), UV_EINVAL);
  options.size = sizeof(options);
  spawn.size = 1;
  assert_uv(safe_uv_spawn(&loop, &process, &options, &error), UV_EINVAL);
  spawn.size = sizeof(spawn);
  error.size = 2;
  assert_uv(safe_uv_spawn(&loop, &process, &options, &error), UV_EINVAL);
  error.size = sizeof(error);
  options.stdio_count = 1;
  assert_uv(safe_uv_spawn(&loop, &process, &options, &error), UV_EINVAL);
  options.stdio_count = -1;
  assert_uv(safe_uv_spawn(&loop, &process, &options, &error), UV_EINVAL);
  assert_int_equal(count_loop_handles(&loop, NULL), 0);
  close_loop(&loop);
}

static void close_it(uv_handle_t *handle, void *unused) {
  (void)unused;
  if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void count_call(safe_uv_lock *request, int status, safe_lock *lock, const safe_error *error) {
  (void)lock, (void)error;
  assert_uv(status, UV_ECANCELED);
  ++*(int *)request->data;
}

/* Wrong, as safe_uv_owns says which are not its to close. It costs the memory of what was pending, and no more. */
static void a_host_that_closes_what_is_not_its_own_is_survived(void **state) {
  static void *blocks[2]; /* still reachable */
  const char *const words[] = {"helper", "sleep", "60000", NULL};
  safe_lock *held = locked_by_another_thread("closed", NULL);
  safe_uv_lock request;
  struct child child;
  uv_loop_t loop;
  int called = 0;

  (void)state;
  open_loop(&loop);
  start(&loop, &child, words, on_end);
  request.data = &called;
  assert_uv(safe_uv_lock_file(&loop, &request, "closed", NULL, count_call, NULL), 0);
  blocks[0] = request.own;
  blocks[1] = child.handle.own;
  uv_walk(&loop, close_it, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(called + child.exits, 0);
  assert_uv(safe_uv_lock_cancel(&request), 0);
  assert_code(safe_process_stop(safe_uv_process_get(&child.handle), NULL, NULL, NULL), SAFE_OK);
  safe_uv_process_close(&child.handle, on_close);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(called, 1);
  assert_int_equal(child.closes, 1);
  assert_code(safe_unlock(held), SAFE_OK);
  close_loop(&loop);
  assert_non_null(blocks[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_exit_is_told_and_the_handle_closed),
    cmocka_unit_test(the_exit_callback_may_close),
    cmocka_unit_test(many_at_once_each_with_its_status),
    cmocka_unit_test(a_signal_ends_it),
    cmocka_unit_test(a_running_child_can_be_let_go_of),
    cmocka_unit_test(an_unreferenced_child_does_not_keep_the_loop_alive),
    cmocka_unit_test(a_failed_start_leaves_nothing),
    cmocka_unit_test(what_is_wrong_is_told),
    cmocka_unit_test(a_host_that_closes_what_is_not_its_own_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
