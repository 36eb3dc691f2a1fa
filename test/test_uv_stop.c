/* SPDX-License-Identifier: MIT */
/* Stopping a child and its tree on a loop. */
#include "uv_loop.h"

struct child {
  safe_uv_process handle; /* first */
  uv_pipe_t out;
  int lines, exits, stops, closes, order, exit_order, stop_order, close_order;
  int stop_status, close_when; /* in the exit callback (1), in the stop callback (2) */
  safe_exit status;
  safe_stop_report report;
  safe_error error;
};

static void on_close(safe_uv_process *process) {
  struct child *child = (struct child *)process;

  child->closes++;
  child->close_order = ++child->order;
}

static void on_end(safe_uv_process *process, const safe_exit *status) {
  struct child *child = (struct child *)process;

  child->exits++;
  child->exit_order = ++child->order;
  child->status = *status;
  if (child->close_when == 1) safe_uv_process_close(process, on_close);
}

static void on_stop(safe_uv_process *process, int status, const safe_stop_report *report, const safe_error *error) {
  struct child *child = (struct child *)process;

  child->stops++;
  child->stop_order = ++child->order;
  child->stop_status = status;
  child->report = *report;
  child->error = *error;
  if (child->close_when == 2) safe_uv_process_close(process, on_close);
}

static void allocate(uv_handle_t *handle, size_t wish, uv_buf_t *buffer) {
  static char room[512];

  (void)handle, (void)wish;
  *buffer = uv_buf_init(room, sizeof(room));
}

static void take(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  struct child *child = stream->data;

  (void)buffer;
  if (got > 0) child->lines++;
  if (got < 0) uv_close((uv_handle_t *)stream, NULL);
}

/* Returns once the child has written something, if it is one that does. */
static void start(uv_loop_t *loop, struct child *child, const char *const *words, bool talks) {
  safe_spawn_options spawn = helper_options(words);
  safe_uv_process_options options = SAFE_UV_PROCESS_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  uv_stdio_container_t stdio[2];

  memset(child, 0, sizeof(*child));
  open_loop(loop);
  uv_pipe_init(loop, &child->out, 0);
  child->out.data = child;
  stdio[0].flags = UV_IGNORE;
  stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
  stdio[1].data.stream = (uv_stream_t *)&child->out;
  options.spawn = &spawn;
  options.stdio = stdio;
  options.stdio_count = 2;
  options.exit_cb = on_end;
  if (safe_uv_spawn(loop, &child->handle, &options, &error) != 0) fail_msg("%s", error.message);
  assert_uv(uv_read_start((uv_stream_t *)&child->out, allocate, take), 0);
  if (talks) run_until(loop, &child->lines, 1);
}

static void stop(struct child *child, int64_t grace_ms) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;

  options.grace_ms = grace_ms;
  if (safe_uv_process_stop(&child->handle, &options, on_stop, &error) != 0) fail_msg("%s", error.message);
  assert_int_equal(child->stops, 0);
  assert_true(safe_uv_process_is_active(&child->handle));
}

static void finish(uv_loop_t *loop, struct child *child) {
  safe_uv_process_close(&child->handle, on_close);
  uv_run(loop, UV_RUN_DEFAULT);
  assert_int_equal(child->closes, 1);
  close_loop(loop);
}

#if defined(_WIN32)
#define POLITE SAFE_STOP_FORCED /* there is no console that it shares with us */
#else
#define POLITE SAFE_STOP_POLITE
#endif

static void a_polite_request_is_enough_for_most(void **state) {
  const char *const words[] = {"helper", "sleep", "60000", NULL};
  struct child child;
  uv_loop_t loop;
  int64_t began;

  (void)state;
  start(&loop, &child, words, false);
  began = now_ms();
  stop(&child, POLITE == SAFE_STOP_FORCED ? 50 : 20000);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_in_range(now_ms() - began, 0, 1500 * slowness());
  assert_int_equal(child.exits, 1);
  assert_int_equal(child.stops, 1);
  assert_true(child.exit_order < child.stop_order);
  assert_uv(child.stop_status, 0);
  assert_int_equal(child.report.verdict, POLITE);
  finish(&loop, &child);
}

static void count_tick(uv_timer_t *timer) { ++*(int *)timer->data; }

static void a_stubborn_one_is_ended_after_the_grace_while_the_loop_goes_on(void **state) {
  const char *const words[] = {"helper", "stubborn", "60000", NULL};
  struct child child;
  uv_timer_t timer;
  uv_loop_t loop;
  int64_t began;
  int ticks = 0;

  (void)state;
  start(&loop, &child, words, true);
  uv_timer_init(&loop, &timer);
  timer.data = &ticks;
  uv_timer_start(&timer, count_tick, 5, 5);
  uv_unref((uv_handle_t *)&timer);
  began = now_ms();
  stop(&child, 200);
  assert_true(now_ms() - began < 100 * slowness());
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_in_range(now_ms() - began, 199, 300 + 400 * slowness());
  assert_true(ticks >= 10);
  assert_int_equal(child.report.verdict, SAFE_STOP_FORCED);
  assert_int_equal(child.report.left_count, 0);
  assert_true(child.exit_order == 1 && child.stop_order == 2);
  uv_close((uv_handle_t *)&timer, NULL);
  finish(&loop, &child);
}

static void what_an_ended_child_left_behind_is_ended_too(void **state) {
  const char *const words[] = {"helper", "leave", "60000", NULL};
  struct child child;
  uv_loop_t loop;

  (void)state;
  start(&loop, &child, words, true);
  run_until(&loop, &child.exits, 1);
  assert_false(safe_uv_process_is_active(&child.handle));
  assert_true(uv_is_active((uv_handle_t *)&child.out)); /* which that one still holds */
  stop(&child, 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.stops, 1);
  assert_int_equal(child.report.verdict, SAFE_STOP_FORCED);
  finish(&loop, &child);
}

static void who_has_gone_is_gone(void **state) {
  const char *const words[] = {"helper", "exit", "0", NULL};
  struct child child;
  uv_loop_t loop;

  (void)state;
  start(&loop, &child, words, false);
  uv_run(&loop, UV_RUN_DEFAULT);
  stop(&child, 1000);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.stops, 1);
  assert_int_equal(child.report.verdict, SAFE_STOP_WAS_GONE);
  child.close_when = 2;
  child.stops = 0;
  stop(&child, 1000); /* again, and closed in the callback */
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.stops, 1);
  assert_int_equal(child.closes, 1);
  close_loop(&loop);
}

static void a_close_ends_the_stop_with_a_word(void **state) {
  const char *const words[] = {"helper", "stubborn", "400", NULL};
  struct child child;
  uv_loop_t loop;

  (void)state;
  start(&loop, &child, words, true);
  stop(&child, 10000);
  run_for(&loop, 20);
  safe_uv_process_close(&child.handle, on_close);
  assert_int_equal(child.stops, 0);
  run_until(&loop, &child.closes, 1);
  assert_int_equal(child.exits, 0);
  assert_int_equal(child.stops, 1);
  assert_uv(child.stop_status, UV_ECANCELED);
  assert_int_equal(child.error.code, SAFE_ECANCELED);
  assert_true(child.stop_order < child.close_order);
  close_loop(&loop); /* the pipe closes with the child's end */
  assert_code(safe_shutdown(10000), SAFE_OK);
}

static void the_exit_callback_may_close_during_a_stop(void **state) {
  const char *const words[] = {"helper", "sleep", "60000", NULL};
  struct child child;
  uv_loop_t loop;

  (void)state;
  start(&loop, &child, words, false);
  child.close_when = 1;
  stop(&child, 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.exits, 1);
  assert_int_equal(child.stops, 1);
  assert_uv(child.stop_status, UV_ECANCELED);
  assert_int_equal(child.closes, 1);
  assert_int_equal(child.close_order, 3);
  close_loop(&loop);
}

static void one_at_a_time_and_nothing_else_meanwhile(void **state) {
  const char *const words[] = {"helper", "stubborn", "60000", NULL};
  safe_error error = SAFE_ERROR_INIT;
  struct child child;
  uv_loop_t loop;

  (void)state;
  start(&loop, &child, words, true);
  safe_uv_process_unref(&child.handle);
  stop(&child, 100);
  assert_true(uv_loop_alive(&loop));
  assert_uv(safe_uv_process_stop(&child.handle, NULL, on_stop, &error), UV_EALREADY);
  assert_uv(safe_uv_process_kill(&child.handle, 15), UV_EBUSY);
  uv_close((uv_handle_t *)&child.out, NULL);
  uv_run(&loop, UV_RUN_DEFAULT); /* the stop keeps it going, though the child does not */
  assert_int_equal(child.stops, 1);
  assert_uv(child.stop_status, 0);
  safe_uv_process_close(&child.handle, on_close);
  assert_uv(safe_uv_process_stop(&child.handle, NULL, on_stop, &error), UV_ESRCH);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_uv(safe_uv_process_stop(&child.handle, NULL, on_stop, &error), UV_ESRCH);
  assert_uv(safe_uv_process_stop(NULL, NULL, on_stop, &error), UV_EINVAL);
  close_loop(&loop);
}

static void what_is_wrong_is_told_and_nobody_is_stopped(void **state) {
  const char *const words[] = {"helper", "sleep", "60000", NULL};
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  struct child child;
  uv_loop_t loop;

  (void)state;
  start(&loop, &child, words, false);
  options.grace_ms = SAFE_FOREVER;
  assert_uv(safe_uv_process_stop(&child.handle, &options, on_stop, &error), UV_EINVAL);
  options.grace_ms = 0;
  options.flags = 8;
  assert_uv(safe_uv_process_stop(&child.handle, &options, on_stop, &error), UV_EINVAL);
  assert_uv(safe_uv_process_kill(&child.handle, 0), 0);
  options.flags = 0;
  assert_uv(safe_uv_process_stop(&child.handle, &options, NULL, &error), 0); /* nobody wants to know */
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.exits, 1);
  assert_int_equal(child.stops, 0);
  finish(&loop, &child);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_polite_request_is_enough_for_most),
    cmocka_unit_test(a_stubborn_one_is_ended_after_the_grace_while_the_loop_goes_on),
    cmocka_unit_test(what_an_ended_child_left_behind_is_ended_too),
    cmocka_unit_test(who_has_gone_is_gone),
    cmocka_unit_test(a_close_ends_the_stop_with_a_word),
    cmocka_unit_test(the_exit_callback_may_close_during_a_stop),
    cmocka_unit_test(one_at_a_time_and_nothing_else_meanwhile),
    cmocka_unit_test(what_is_wrong_is_told_and_nobody_is_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
