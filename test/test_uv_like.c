/* SPDX-License-Identifier: MIT */
/* For users of uv_spawn: one call changed, all else as they have it. */
#include "uv_loop.h"

#if !defined(_WIN32)
#include <signal.h>
#include <unistd.h>
#endif

struct child {
  safe_uv_process handle; /* first, as uv_process_t is in it */
  int exits, closes, stops;
  int64_t code;
  int signal;
  char text[256];
  size_t total;
};

static void on_uv_close(uv_handle_t *handle) { ((struct child *)handle)->closes++; }

static void on_end(uv_process_t *process, int64_t code, int signal) {
  struct child *child = (struct child *)process;

  assert_null(safe_uv_process_get(&child->handle));
  assert_false(safe_uv_process_is_active(&child->handle));
  child->exits++;
  child->code = code;
  child->signal = signal;
}

static void close_on_end(uv_process_t *process, int64_t code, int signal) {
  on_end(process, code, signal);
  uv_close((uv_handle_t *)process, on_uv_close);
}

static uv_process_options_t helper(char **words, uv_exit_cb callback) {
  uv_process_options_t options;

  memset(&options, 0, sizeof(options));
  options.file = helper_path();
  options.args = words;
  options.exit_cb = callback;
  return options;
}

static void start(uv_loop_t *loop, struct child *child, const uv_process_options_t *options) {
  safe_error error = SAFE_ERROR_INIT;

  memset(child, 0, sizeof(*child));
  child->handle.uv.data = child;
  if (safe_uv_spawn_like(loop, &child->handle, options, &error) != 0) fail_msg("%s", error.message);
  assert_true(safe_uv_process_is_active(&child->handle));
  assert_ptr_equal(child->handle.uv.data, child);
  assert_int_equal(uv_process_get_pid(&child->handle.uv), safe_process_pid(safe_uv_process_get(&child->handle)));
  assert_int_equal(child->handle.uv.type, UV_PROCESS);
}

static void the_handle_is_uv_closes_after_the_end(void **state) {
  char *words[] = {"helper", "exit", "5", NULL};
  uv_process_options_t options = helper(words, close_on_end);
  struct child child;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  start(&loop, &child, &options);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.exits, 1);
  assert_int_equal(child.code, 5);
  assert_int_equal(child.signal, 0);
  assert_int_equal(child.closes, 1);
  close_loop(&loop);
}

/* Else a host that closes all that it finds would free a handle whose child still has to be told of. */
static void a_running_child_is_not_uv_closes(void **state) {
  char *words[] = {"helper", "exit", "5", NULL};
  uv_process_options_t options = helper(words, close_on_end);
  struct child child;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  start(&loop, &child, &options);
  assert_int_equal(safe_uv_owns((uv_handle_t *)&child.handle.uv), 1);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(safe_uv_owns((uv_handle_t *)&child.handle.uv), 0);
  close_loop(&loop);
}

static void free_child(uv_handle_t *handle) { free(handle); }

static void close_and_free(uv_process_t *process, int64_t code, int signal) {
  assert_int_equal(code, 0);
  assert_int_equal(signal, 0);
  ++*(int *)process->data;
  uv_close((uv_handle_t *)process, free_child);
}

/* Nothing of ours hangs on the memory. */
static void the_close_callback_may_free_it(void **state) {
  char *words[] = {"helper", "exit", "0", NULL};
  uv_process_options_t options = helper(words, close_and_free);
  safe_uv_process *process;
  uv_loop_t loop;
  int at, ended = 0;

  (void)state;
  open_loop(&loop);
  for (at = 0; at < 10; at++) {
    process = malloc(sizeof(*process));
    assert_non_null(process);
    process->uv.data = &ended;
    assert_uv(safe_uv_spawn_like(&loop, process, &options, NULL), 0);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(ended, 10);
  close_loop(&loop);
}

static void on_safe_close(safe_uv_process *process) { ((struct child *)process)->closes++; }

static void our_close_serves_before_and_after_the_end(void **state) {
  char *quick[] = {"helper", "exit", "0", NULL}, *slow[] = {"helper", "sleep", "200", NULL};
  uv_process_options_t options = helper(quick, on_end), running = helper(slow, on_end);
  struct child ended, runs;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  start(&loop, &ended, &options);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(ended.exits, 1);
  safe_uv_process_close(&ended.handle, on_safe_close);
  assert_true(safe_uv_process_is_closing(&ended.handle));
  start(&loop, &runs, &running);
  safe_uv_process_close(&runs.handle, on_safe_close);
  safe_uv_process_close(&runs.handle, on_safe_close);
  assert_true(safe_uv_process_is_closing(&runs.handle));
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(ended.closes, 1);
  assert_int_equal(runs.closes, 1);
  assert_int_equal(runs.exits, 0);
  close_loop(&loop);
  assert_code(safe_shutdown(10000), SAFE_OK);
}

static void a_signal_is_told_as_libuv_tells_it(void **state) {
  char *words[] = {"helper", "sleep", "60000", NULL};
  uv_process_options_t options = helper(words, close_on_end);
  struct child child;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  start(&loop, &child, &options);
  assert_uv(safe_uv_process_kill(&child.handle, 9), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
#if defined(_WIN32)
  assert_int_equal(child.code, 1);
#else
  assert_int_equal(child.code, 0);
  assert_int_equal(child.signal, 9);
#endif
  assert_int_equal(child.closes, 1);
  close_loop(&loop);
}

static void on_stop(safe_uv_process *process, int status, const safe_stop_report *report, const safe_error *error) {
  struct child *child = (struct child *)process;

  (void)error;
  assert_uv(status, 0);
  assert_int_equal(report->verdict, SAFE_STOP_FORCED);
  assert_int_equal(child->exits, 1); /* it has come before */
  assert_int_equal(child->closes, 0);
  child->stops++;
}

static void a_stop_ends_before_the_handle_is_let_go_of(void **state) {
  char *words[] = {"helper", "sleep", "60000", NULL};
  uv_process_options_t options = helper(words, close_on_end);
  safe_stop_options by_force = SAFE_STOP_OPTIONS_INIT;
  struct child child;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  start(&loop, &child, &options);
  by_force.grace_ms = 0;
  assert_uv(safe_uv_process_stop(&child.handle, &by_force, on_stop, NULL), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.exits, 1);
  assert_int_equal(child.stops, 1);
  assert_int_equal(child.closes, 1);
  assert_uv(safe_uv_process_stop(&child.handle, &by_force, on_stop, NULL), UV_ESRCH);
  close_loop(&loop);
}

static void allocate(uv_handle_t *handle, size_t wish, uv_buf_t *buffer) {
  static char room[512];

  (void)handle, (void)wish;
  *buffer = uv_buf_init(room, sizeof(room));
}

static void take(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  struct child *child = stream->data;

  if (got < 0) {
    assert_uv((int)got, UV_EOF);
    uv_close((uv_handle_t *)stream, NULL);
    return;
  }
  assert_true(child->total + (size_t)got < sizeof(child->text));
  memcpy(child->text + child->total, buffer->base, (size_t)got);
  child->total += (size_t)got;
}

static void after_shutdown(uv_shutdown_t *request, int status) {
  assert_uv(status, 0);
  uv_close((uv_handle_t *)request->handle, NULL);
}

/* Input is ended by uv_shutdown, which needs what uv_spawn gives for a pipe. */
static void streams_are_as_uv_spawn_makes_them(void **state) {
  static char text[] = "there and back";
  char *words[] = {"helper", "echo", NULL};
  uv_process_options_t options = helper(words, close_on_end);
  uv_stdio_container_t stdio[3];
  uv_buf_t buffer = uv_buf_init(text, sizeof(text) - 1);
  uv_shutdown_t shutdown;
  struct child child;
  uv_pipe_t in, out;
  uv_write_t write;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  uv_pipe_init(&loop, &in, 0);
  uv_pipe_init(&loop, &out, 0);
  stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
  stdio[0].data.stream = (uv_stream_t *)&in;
  stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
  stdio[1].data.stream = (uv_stream_t *)&out;
  stdio[2].flags = UV_IGNORE;
  options.stdio = stdio;
  options.stdio_count = 3;
  start(&loop, &child, &options);
  out.data = &child;
  assert_uv(uv_read_start((uv_stream_t *)&out, allocate, take), 0);
  assert_uv(uv_write(&write, (uv_stream_t *)&in, &buffer, 1, NULL), 0);
  assert_uv(uv_shutdown(&shutdown, (uv_stream_t *)&in, after_shutdown), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_string_equal(child.text, text);
  assert_int_equal(child.code, 0);
  close_loop(&loop);
}

static void says(const char *word, const char *argument, char **env, const char *cwd, const char *expected) {
  char *words[] = {"helper", (char *)word, (char *)argument, NULL};
  uv_process_options_t options = helper(words, close_on_end);
  uv_stdio_container_t stdio[2];
  struct child child;
  uv_pipe_t out;
  uv_loop_t loop;

  open_loop(&loop);
  uv_pipe_init(&loop, &out, 0);
  stdio[0].flags = UV_IGNORE;
  stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
  stdio[1].data.stream = (uv_stream_t *)&out;
  options.env = env;
  options.cwd = cwd;
  options.stdio = stdio;
  options.stdio_count = 2;
  start(&loop, &child, &options);
  out.data = &child;
  assert_uv(uv_read_start((uv_stream_t *)&out, allocate, take), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  if (strstr(child.text, expected) == NULL) fail_msg("%s: %s", word, child.text);
  close_loop(&loop);
}

static void environment_and_folder_are_what_was_said(void **state) {
  char root[512];
  const char *system_root = getenv("SYSTEMROOT");
  char *env[] = {"ONE=two", root, NULL};

  (void)state;
  snprintf(root, sizeof(root), "SYSTEMROOT=%s", system_root == NULL ? "" : system_root);
  make_folder("inner");
  says("env", "ONE", env, NULL, "[two]");
  says("env", "SAFEHOLD_TEST_SLOWNESS", env, NULL, "unset");
  says("cwd", NULL, NULL, "inner", "inner");
}

static void what_cannot_be_started_leaves_nothing(void **state) {
  char *words[] = {"helper", "exit", "0", NULL};
  uv_process_options_t options = helper(words, on_end);
  safe_error error = SAFE_ERROR_INIT;
  safe_uv_process process;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  options.flags = 1u << 20;
  assert_uv(safe_uv_spawn_like(&loop, &process, &options, &error), UV_EINVAL);
  assert_non_null(strstr(error.message, "100000"));
  options.flags = 0;
  options.file = "no such program anywhere";
  assert_uv(safe_uv_spawn_like(&loop, &process, &options, &error), UV_ENOENT);
  options.file = NULL;
  assert_uv(safe_uv_spawn_like(&loop, &process, &options, &error), UV_EINVAL);
  options.file = helper_path();
  options.args = NULL;
  assert_uv(safe_uv_spawn_like(&loop, &process, &options, &error), UV_EINVAL);
  assert_uv(safe_uv_spawn_like(&loop, &process, NULL, &error), UV_EINVAL);
  assert_uv(safe_uv_spawn_like(NULL, &process, &options, &error), UV_EINVAL);
  assert_uv(safe_uv_spawn_like(&loop, NULL, &options, &error), UV_EINVAL);
  assert_int_equal(count_loop_handles(&loop, NULL), 0);
  close_loop(&loop);
}

#if !defined(_WIN32)
static void detached_is_a_session_of_its_own(void **state) {
  char *words[] = {"helper", "sleep", "60000", NULL};
  uv_process_options_t options = helper(words, close_on_end);
  struct child child;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  options.flags = UV_PROCESS_DETACHED | UV_PROCESS_WINDOWS_HIDE;
  start(&loop, &child, &options);
  assert_int_equal(getsid(child.handle.uv.pid), child.handle.uv.pid);
  assert_uv(safe_uv_process_kill(&child.handle, SIGKILL), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  options.flags = UV_PROCESS_SETUID | UV_PROCESS_SETGID;
  options.uid = getuid();
  options.gid = getgid();
  start(&loop, &child, &options);
  assert_int_equal(getsid(child.handle.uv.pid), getsid(0));
  assert_uv(safe_uv_process_kill(&child.handle, SIGKILL), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.signal, SIGKILL);
  close_loop(&loop);
}

static void own_handler(int number) { (void)number; }

/* libuv takes SIGCHLD at its first uv_spawn, and never with the adapter; not for the handle that it initialises. */
static void sigchld_stays_the_hosts(void **state) {
  char *words[] = {"helper", "exit", "0", NULL};
  uv_process_options_t options = helper(words, close_on_end);
  struct sigaction mine, before, after;
  sigset_t mask_before, mask_after;
  struct child child;
  uv_loop_t loop;
  int number;

  (void)state;
  memset(&mine, 0, sizeof(mine));
  mine.sa_handler = own_handler;
  mine.sa_flags = SA_NOCLDSTOP;
  assert_int_equal(sigaction(SIGCHLD, &mine, &before), 0);
  sigprocmask(SIG_BLOCK, NULL, &mask_before);
  open_loop(&loop);
  start(&loop, &child, &options);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(child.exits, 1);
  close_loop(&loop);
  assert_int_equal(sigaction(SIGCHLD, &before, &after), 0);
  assert_ptr_equal(after.sa_handler, own_handler);
  assert_int_equal(after.sa_flags & (SA_NOCLDSTOP | SA_SIGINFO | SA_RESTART), SA_NOCLDSTOP);
  sigprocmask(SIG_BLOCK, NULL, &mask_after);
  for (number = 1; number < 32; number++)
    assert_int_equal(sigismember(&mask_before, number), sigismember(&mask_after, number));
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
#if !defined(_WIN32)
    cmocka_unit_test(sigchld_stays_the_hosts), /* first: nobody has called uv_spawn */
    cmocka_unit_test(detached_is_a_session_of_its_own),
#endif
    cmocka_unit_test(the_handle_is_uv_closes_after_the_end),
    cmocka_unit_test(a_running_child_is_not_uv_closes),
    cmocka_unit_test(the_close_callback_may_free_it),
    cmocka_unit_test(our_close_serves_before_and_after_the_end),
    cmocka_unit_test(a_signal_is_told_as_libuv_tells_it),
    cmocka_unit_test(a_stop_ends_before_the_handle_is_let_go_of),
    cmocka_unit_test(streams_are_as_uv_spawn_makes_them),
    cmocka_unit_test(environment_and_folder_are_what_was_said),
    cmocka_unit_test(what_cannot_be_started_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
