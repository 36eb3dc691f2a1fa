/* SPDX-License-Identifier: MIT */
/*
 * A thread that was cancelled (pthread_cancel) while it did something else: each call of the library goes to its end
 * all the same, as what it has made so far would be lost with the thread. The thread ends at its own next cancellation
 * point.
 */
#include <pthread.h>
#include <unistd.h>

#include "support.h"

static const char *const methods[] = {"default", "flock", "posix"};
static const int32_t numbers[] = {SAFE_METHOD_DEFAULT, SAFE_METHOD_FLOCK, SAFE_METHOD_POSIX};

struct run {
  void (*call)(void);
  volatile bool called; /* it came back */
};

static void *run_cancelled(void *argument) {
  struct run *run = argument;
  int ignored;

  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);
  pthread_cancel(pthread_self());
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &ignored);
  run->call();
  run->called = true;
  pthread_testcancel();
  return NULL;
}

/* A file that another lock of method POSIX is on stays open until that one is gone. */
static bool puts_off_closing;

/* In a thread whose cancellation is pending all the time. */
static void cancelled(void (*call)(void)) {
  struct run run = {call, false};
  int handles;
  pthread_t thread;
  void *result;

  call(); /* what is kept for later is there from now on */
  handles = count_handles();
  assert_int_equal(pthread_create(&thread, NULL, run_cancelled, &run), 0);
  assert_int_equal(pthread_join(thread, &result), 0);
  assert_true(run.called);
  assert_ptr_equal(result, PTHREAD_CANCELED);
  if (!puts_off_closing) assert_in_range(count_handles(), 0, handles);
  assert_int_equal(safe_shutdown(5000), SAFE_OK);
}

static safe_lock_options of_method(int32_t method, int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.method = method;
  options.timeout_ms = timeout_ms;
  return options;
}

static int32_t method;

static void lock_and_unlock(void) {
  safe_lock_options options = of_method(method, 1000);
  safe_lock *lock;

  assert_code(safe_lock_file(&lock, "free", &options, NULL), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
}

static void fail_to_lock(void) {
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;

  assert_code(safe_lock_file(&lock, "no/folder/free", NULL, &error), SAFE_ENOENT);
}

static void wait_in_vain(void) {
  safe_lock_options options = of_method(method, 120);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;

  assert_code(safe_lock_file(&lock, "held", &options, &error), SAFE_ETIMEDOUT);
}

static void begin_and_cancel(void) {
  safe_lock_options options = of_method(method, 1000);
  safe_lock_wait *wait;

  assert_code(safe_lock_begin(&wait, "held", &options, NULL), SAFE_OK);
  assert_true(safe_lock_wait_handle(wait) != SAFE_INVALID_HANDLE);
  assert_code(safe_lock_wait_poll(wait), SAFE_EAGAIN);
  safe_lock_wait_cancel(wait);
}

static void with_all_that_there_is(void) {
  safe_lock_options options = of_method(SAFE_METHOD_DEFAULT, 1000);
  safe_lock *lock;

  options.flags |= SAFE_LOCK_REMOVE_ON_UNLOCK | SAFE_LOCK_RECORD_OWNER;
  assert_code(safe_lock_file(&lock, "recorded", &options, NULL), SAFE_OK);
  assert_int_equal(safe_lock_write_at(lock, "", 0, 0), 0);
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_int_not_equal(access("recorded", F_OK), 0);
}

static void locks(void **state) {
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(numbers) / sizeof(numbers[0]); at++) {
    safe_lock_options options = of_method(method = numbers[at], 0);
    safe_lock *held = locked_by_another_thread("held", &options);
    int handles = count_handles();
    puts_off_closing = method == SAFE_METHOD_POSIX;
    print_message("method %s\n", methods[at]);
    cancelled(lock_and_unlock);
    cancelled(wait_in_vain);
    cancelled(begin_and_cancel);
    lock_and_unlock(); /* nobody has it */
    assert_code(safe_unlock(held), SAFE_OK);
    puts_off_closing = false;
    assert_in_range(count_handles(), 0, handles);
  }
  cancelled(fail_to_lock);
  cancelled(with_all_that_there_is);
}

static void look(void) {
  safe_holder_list *list;

  assert_code(safe_lock_holders("free", 2000, &list, NULL), SAFE_OK);
  safe_holder_list_free(list);
}

static void looks(void **state) {
  (void)state;
  lock_and_unlock();
  cancelled(look);
}

static void start_and_talk(void) {
  const char *const argv[] = {"helper", "echo", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process;

  options.file = helper_path();
  options.argv = argv;
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  talk.input = "line";
  talk.input_length = 4;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_communicate(process, &talk, &output, NULL), SAFE_OK);
  assert_string_equal(output.out, "line");
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_int_equal(status.code, 0);
  assert_code(safe_process_stop(process, NULL, NULL, NULL), SAFE_OK);
  safe_output_free(&output);
  safe_process_free(process);
}

static void fail_to_start(void) {
  const char *const argv[] = {"/no/such/program", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;

  options.argv = argv;
  options.out.kind = SAFE_STDIO_PIPE;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_ENOENT);
}

static void children(void **state) {
  (void)state;
  cancelled(start_and_talk);
  cancelled(fail_to_start);
}

/* Most that a tracer can do with a line is a cancellation point, as write(2) is. */
static void note(void *context, int32_t kind, const char *line) {
  (void)context, (void)kind, (void)line;
  pthread_testcancel();
}

static void who_listens_is_no_cancellation_point(void **state) {
  static const safe_tracer tracer = {sizeof(tracer), note, NULL};

  (void)state;
  assert_code(safe_use_tracer(&tracer), SAFE_OK);
  method = SAFE_METHOD_DEFAULT;
  cancelled(lock_and_unlock);
  cancelled(fail_to_lock);
  cancelled(start_and_talk);
  assert_code(safe_use_tracer(NULL), SAFE_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(locks),
    cmocka_unit_test(looks),
    cmocka_unit_test(children),
    cmocka_unit_test(who_listens_is_no_cancellation_point),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
