/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that somebody else in the process opened without close-on-exec, with a lock on it, and a child whose
 * daemon lives on: after uv_spawn the daemon has the lock for as long as it lives; with the adapter it never had it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "uv_loop.h"

struct child {
  safe_uv_process handle; /* first */
  uv_pipe_t out;
  int ended;
  char text[32];
  size_t total;
};

static void on_end(uv_process_t *process, int64_t code, int signal) {
  struct child *child = (struct child *)process;

  assert_int_equal(code, 0);
  assert_int_equal(signal, 0);
  child->ended = 1;
  uv_close((uv_handle_t *)process, NULL);
}

static void allocate(uv_handle_t *handle, size_t wish, uv_buf_t *buffer) {
  struct child *child = handle->data;

  (void)wish;
  *buffer = uv_buf_init(child->text + child->total, (unsigned)(sizeof(child->text) - 1 - child->total));
}

static void take(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  struct child *child = stream->data;

  (void)buffer;
  if (got > 0) child->total += (size_t)got;
}

typedef int spawn_function(uv_loop_t *loop, safe_uv_process *process, const uv_process_options_t *options);

static int plainly(uv_loop_t *loop, safe_uv_process *process, const uv_process_options_t *options) {
  return uv_spawn(loop, &process->uv, options);
}

static int safely(uv_loop_t *loop, safe_uv_process *process, const uv_process_options_t *options) {
  return safe_uv_spawn_like(loop, process, options, NULL);
}

/* Starts a child that leaves a daemon behind: returns the daemon's number. */
static pid_t leave_a_daemon(spawn_function *spawn) {
  char *words[] = {"helper", "leave", "60000", NULL};
  uv_process_options_t options;
  uv_stdio_container_t stdio[2];
  struct child child;
  uv_loop_t loop;
  pid_t daemon;

  memset(&options, 0, sizeof(options));
  memset(&child, 0, sizeof(child));
  open_loop(&loop);
  uv_pipe_init(&loop, &child.out, 0);
  child.out.data = &child;
  stdio[0].flags = UV_IGNORE;
  stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
  stdio[1].data.stream = (uv_stream_t *)&child.out;
  options.file = helper_path();
  options.args = words;
  options.exit_cb = on_end;
  options.stdio = stdio;
  options.stdio_count = 2;
  assert_uv(spawn(&loop, &child.handle, &options), 0);
  assert_uv(uv_read_start((uv_stream_t *)&child.out, allocate, take), 0);
  run_until(&loop, &child.ended, 1);
  while (strchr(child.text, '\n') == NULL) uv_run(&loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&child.out, NULL); /* which the daemon holds, too */
  close_loop(&loop);
  daemon = (pid_t)atoi(child.text);
  assert_true(daemon > 1);
  assert_int_equal(kill(daemon, 0), 0);
  return daemon;
}

static bool is_free(void) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  options.timeout_ms = SAFE_NO_WAIT;
  options.method = SAFE_METHOD_FLOCK;
  return safe_lock_file(&lock, "careless", &options, NULL) == SAFE_OK && safe_unlock(lock) == SAFE_OK;
}

/* Whether the lock was free again when the host had closed its descriptor. */
static bool free_after_the_host_closed_it(spawn_function *spawn) {
  int fd = open("careless", O_RDWR | O_CREAT, 0600); /* without O_CLOEXEC */
  pid_t daemon;
  bool result;

  assert_true(fd >= 0);
  assert_int_equal(flock(fd, LOCK_EX), 0);
  daemon = leave_a_daemon(spawn);
  assert_false(is_free());
  close(fd);
  result = is_free();
  kill(daemon, SIGKILL);
  return result;
}

static void the_lock_goes_with_the_host_and_not_with_the_daemon(void **state) {
  int64_t deadline;

  (void)state;
  assert_false(free_after_the_host_closed_it(plainly));
  for (deadline = now_ms() + 5000; !is_free() && now_ms() < deadline;) sleep_ms(1); /* until that daemon has gone */
  assert_true(free_after_the_host_closed_it(safely));
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_lock_goes_with_the_host_and_not_with_the_daemon),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
