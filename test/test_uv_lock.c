/* SPDX-License-Identifier: MIT */
/* Locks as requests of a loop. */
#include "uv_loop.h"

struct asked {
  safe_uv_lock request; /* first */
  uv_loop_t *loop;
  int called, status, order;
  safe_lock *lock;
  safe_error error;
};

static int order;

static void on_lock(safe_uv_lock *request, int status, safe_lock *lock, const safe_error *error) {
  struct asked *asked = (struct asked *)request;

  asked->called++;
  asked->order = ++order;
  asked->status = status;
  asked->lock = lock;
  asked->error = *error;
  assert_int_equal(lock != NULL, status == 0);
  assert_int_equal(safe_uv_code(error), status);
  assert_false(safe_uv_lock_is_active(request));
  assert_uv(safe_uv_lock_cancel(request), UV_EINVAL);
  memset(request, 0xa5, sizeof(*request)); /* it is the caller's again */
}

static void ask(uv_loop_t *loop, struct asked *asked, const char *path, int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;

  memset(asked, 0, sizeof(*asked));
  asked->loop = loop;
  options.timeout_ms = timeout_ms;
  assert_uv(safe_uv_lock_file(loop, &asked->request, path, &options, on_lock, &error), 0);
  assert_int_equal(asked->called, 0);
  assert_true(safe_uv_lock_is_active(&asked->request));
  assert_true(safe_uv_lock_has_ref(&asked->request));
  assert_true(uv_loop_alive(loop));
}

static bool is_free(const char *path) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  options.timeout_ms = SAFE_NO_WAIT;
  return safe_lock_file(&lock, path, &options, NULL) == SAFE_OK && safe_unlock(lock) == SAFE_OK;
}

static void a_free_lock_is_told_in_a_later_turn(void **state) {
  struct asked asked;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  ask(&loop, &asked, "free", 1000);
  assert_false(is_free("free"));
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(asked.called, 1);
  assert_uv(asked.status, 0);
  assert_code(safe_unlock(asked.lock), SAFE_OK);
  close_loop(&loop);
}

static void unlock_now(uv_timer_t *timer) {
  assert_code(safe_unlock(timer->data), SAFE_OK);
  uv_close((uv_handle_t *)timer, NULL);
}

static void unlock_after(uv_loop_t *loop, uv_timer_t *timer, safe_lock *lock, int ms) {
  uv_timer_init(loop, timer);
  timer->data = lock;
  uv_timer_start(timer, unlock_now, (uint64_t)ms, 0);
}

static void what_the_loop_holds_itself_may_be_waited_for(void **state) {
  struct asked first, second;
  uv_timer_t timer;
  uv_loop_t loop;
  int owned;

  (void)state;
  open_loop(&loop);
  ask(&loop, &first, "own", 1000);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_uv(first.status, 0);
  ask(&loop, &second, "own", 20000);
  assert_int_equal(count_loop_handles(&loop, &owned), 1);
  assert_int_equal(owned, 1);
  unlock_after(&loop, &timer, first.lock, 30);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(second.called, 1);
  assert_uv(second.status, 0);
  assert_code(safe_unlock(second.lock), SAFE_OK);
  close_loop(&loop);
}

static void the_deadline_is_kept_and_the_holder_named(void **state) {
  const char *const words[] = {"helper", "lock", "0", "0", "60000", "late", NULL};
  safe_spawn_options options = helper_options(words);
  safe_process *process;
  struct asked asked;
  uv_loop_t loop;
  int64_t began;

  (void)state;
  options.out.kind = SAFE_STDIO_PIPE;
  assert_code(spawn_surely(&process, &options, NULL), SAFE_OK);
  expect_line(process, "held");
  open_loop(&loop);
  began = now_ms();
  ask(&loop, &asked, "late", 150 * slowness());
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_in_range(now_ms() - began, 150 * slowness() - 5, 450 * slowness());
  assert_uv(asked.status, UV_ETIMEDOUT);
  assert_int_equal(asked.error.code, SAFE_ETIMEDOUT);
  assert_non_null(strstr(asked.error.message, "late"));
#if defined(__linux__) /* its 50 ms are enough, but not for Valgrind */
  if (slowness() == 1) assert_int_equal(asked.error.holder_pid, safe_process_pid(process));
#endif
  end_helper(process);
  close_loop(&loop);
}

static void without_waiting_it_is_refused_at_once(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *held = locked_by_another_thread("busy", NULL);
  safe_error error = SAFE_ERROR_INIT;
  safe_uv_lock request;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  options.timeout_ms = SAFE_NO_WAIT;
  assert_uv(safe_uv_lock_file(&loop, &request, "busy", &options, on_lock, &error), UV_EBUSY);
  assert_int_equal(error.code, SAFE_EBUSY);
  assert_false(safe_uv_lock_is_active(&request));
  assert_false(uv_loop_alive(&loop));
  assert_code(safe_unlock(held), SAFE_OK);
  close_loop(&loop);
}

static void a_request_can_be_taken_back(void **state) {
  safe_lock *held = locked_by_another_thread("back", NULL);
  struct asked asked;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  ask(&loop, &asked, "back", SAFE_FOREVER);
  run_for(&loop, 20);
  assert_int_equal(asked.called, 0);
  assert_uv(safe_uv_lock_cancel(&asked.request), 0);
  assert_int_equal(asked.called, 0);
  assert_true(safe_uv_lock_is_active(&asked.request));
  assert_uv(safe_uv_lock_cancel(&asked.request), UV_EALREADY);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(asked.called, 1);
  assert_uv(asked.status, UV_ECANCELED);
  assert_int_equal(asked.error.code, SAFE_ECANCELED);
  assert_code(safe_unlock(held), SAFE_OK);
  assert_true(is_free("back"));
  close_loop(&loop);
}

static void what_was_granted_but_not_told_is_given_back(void **state) {
  struct asked asked;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  ask(&loop, &asked, "granted", 1000);
  assert_false(is_free("granted"));
  assert_uv(safe_uv_lock_cancel(&asked.request), 0);
  assert_true(is_free("granted"));
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_uv(asked.status, UV_ECANCELED);
  close_loop(&loop);
}

/* Granted by the kernel while the loop does something else, and then taken back. */
static void a_grant_that_the_loop_has_not_seen_is_given_back(void **state) {
  safe_lock *held = locked_by_another_thread("unseen", NULL);
  struct asked asked;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  ask(&loop, &asked, "unseen", SAFE_FOREVER);
  run_for(&loop, 10);
  assert_code(safe_unlock(held), SAFE_OK);
  sleep_ms(50);
  assert_uv(safe_uv_lock_cancel(&asked.request), 0);
  assert_true(is_free("unseen"));
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_uv(asked.status, UV_ECANCELED);
  close_loop(&loop);
}

static void a_cancel_of_the_options_ends_it(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *held = locked_by_another_thread("triggered", NULL);
  struct asked asked;
  uv_loop_t loop;

  (void)state;
  memset(&asked, 0, sizeof(asked));
  assert_code(safe_cancel_create(&options.cancel), SAFE_OK);
  open_loop(&loop);
  assert_uv(safe_uv_lock_file(&loop, &asked.request, "triggered", &options, on_lock, NULL), 0);
  run_for(&loop, 10);
  safe_cancel_trigger(options.cancel);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_uv(asked.status, UV_ECANCELED);
  safe_cancel_free(options.cancel);
  assert_code(safe_unlock(held), SAFE_OK);
  close_loop(&loop);
}

static safe_handle open_file(const char *path, uv_file *file) {
  uv_fs_t request;

  *file = uv_fs_open(NULL, &request, path, UV_FS_O_RDWR | UV_FS_O_CREAT, 0600, NULL);
  uv_fs_req_cleanup(&request);
  assert_true(*file >= 0);
  return uv_get_osfhandle(*file);
}

static void a_file_of_the_callers_can_be_locked(void **state) {
  safe_lock *held = locked_by_another_thread("mine", NULL);
  struct asked asked;
  uv_timer_t timer;
  uv_fs_t request;
  uv_loop_t loop;
  uv_file file;

  (void)state;
  memset(&asked, 0, sizeof(asked));
  open_loop(&loop);
  assert_uv(safe_uv_lock_handle(&loop, &asked.request, open_file("mine", &file), NULL, on_lock, NULL), 0);
  unlock_after(&loop, &timer, held, 20);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_uv(asked.status, 0);
  assert_false(is_free("mine"));
  assert_code(safe_unlock(asked.lock), SAFE_OK);
  assert_uv(uv_fs_close(NULL, &request, file, NULL), 0);
  close_loop(&loop);
}

static void what_is_wrong_is_told_and_nothing_is_pending(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  struct {
    safe_lock_options options;
    int beyond;
  } newer = {SAFE_LOCK_OPTIONS_INIT, 1};
  safe_error error = SAFE_ERROR_INIT, broken = SAFE_ERROR_INIT;
  safe_uv_lock request;
  uv_loop_t loop;

  (void)state;
  memset(&request, 0xa5, sizeof(request)); /* nobody has to clear it */
  newer.options.size = sizeof(newer);
  broken.size = 1;
  open_loop(&loop);
  assert_uv(safe_uv_lock_file(NULL, &request, "x", NULL, on_lock, &error), UV_EINVAL);
  assert_int_equal(error.code, SAFE_EINVAL);
  assert_uv(safe_uv_lock_file(&loop, NULL, "x", NULL, on_lock, &error), UV_EINVAL);
  assert_uv(safe_uv_lock_file(&loop, &request, "x", NULL, NULL, &error), UV_EINVAL);
  assert_uv(safe_uv_lock_file(&loop, &request, NULL, NULL, on_lock, &error), UV_EINVAL);
  assert_uv(safe_uv_lock_file(&loop, &request, "x", NULL, on_lock, &broken), UV_EINVAL);
  assert_uv(safe_uv_lock_file(&loop, &request, "none/such", NULL, on_lock, &error), UV_ENOENT);
  assert_int_equal(error.code, SAFE_ENOENT);
  assert_uv(safe_uv_lock_file(&loop, &request, ".", NULL, on_lock, NULL), UV_EISDIR);
  assert_uv(safe_uv_lock_file(&loop, &request, "x", &newer.options, on_lock, &error), UV_EINVAL);
  assert_int_equal(error.code, SAFE_ENEWER);
  options.size = 0;
  assert_uv(safe_uv_lock_file(&loop, &request, "x", &options, on_lock, &error), UV_EINVAL);
  options.size = sizeof(options);
  options.flags = 1u << 30;
  assert_uv(safe_uv_lock_file(&loop, &request, "x", &options, on_lock, &error), UV_EINVAL);
  assert_uv(safe_uv_lock_handle(&loop, &request, SAFE_INVALID_HANDLE, NULL, on_lock, &error), UV_EBADF);
  assert_uv(safe_uv_lock_cancel(NULL), UV_EINVAL);
  assert_false(safe_uv_lock_is_active(&request));
  assert_false(uv_loop_alive(&loop));
  assert_int_equal(count_loop_handles(&loop, NULL), 0);
  close_loop(&loop);
}

/* Both the one that waits and the one whose outcome is known. */
static void an_unreferenced_request_does_not_keep_the_loop_alive(void **state) {
  safe_lock *held = locked_by_another_thread("unreferenced", NULL);
  struct asked waits, known;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  ask(&loop, &waits, "unreferenced", SAFE_FOREVER);
  ask(&loop, &known, "unreferenced too", SAFE_FOREVER);
  safe_uv_lock_unref(&waits.request);
  safe_uv_lock_unref(&known.request);
  assert_false(safe_uv_lock_has_ref(&waits.request));
  assert_true(safe_uv_lock_is_active(&waits.request));
  assert_false(uv_loop_alive(&loop));
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(waits.called + known.called, 0);
  safe_uv_lock_ref(&known.request);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_uv(known.status, 0);
  assert_code(safe_unlock(known.lock), SAFE_OK);
  assert_uv(safe_uv_lock_cancel(&waits.request), 0);
  safe_uv_lock_ref(&waits.request);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_uv(waits.status, UV_ECANCELED);
  assert_code(safe_unlock(held), SAFE_OK);
  close_loop(&loop);
}

#define MANY 8

static void unlock_on_lock(safe_uv_lock *request, int status, safe_lock *lock, const safe_error *error) {
  on_lock(request, status, lock, error);
  assert_code(safe_unlock(lock), SAFE_OK);
}

static void each_of_many_gets_its_turn(void **state) {
  safe_lock *held = locked_by_another_thread("many", NULL);
  struct asked asked[MANY];
  uv_timer_t timer;
  uv_loop_t loop;
  int at;

  (void)state;
  memset(asked, 0, sizeof(asked));
  open_loop(&loop);
  for (at = 0; at < MANY; at++)
    assert_uv(safe_uv_lock_file(&loop, &asked[at].request, "many", NULL, unlock_on_lock, NULL), 0);
  unlock_after(&loop, &timer, held, 20);
  uv_run(&loop, UV_RUN_DEFAULT);
  for (at = 0; at < MANY; at++) assert_int_equal(asked[at].called, 1);
  assert_true(is_free("many"));
  close_loop(&loop);
}

static void again(safe_uv_lock *request, int status, safe_lock *lock, const safe_error *error) {
  static int rounds;
  int *ended = request->data;

  (void)error;
  assert_uv(status, 0);
  assert_code(safe_unlock(lock), SAFE_OK);
  if (++rounds == 50) {
    *ended = 1;
    free(request);
  } else {
    assert_uv(safe_uv_lock_file(request->loop, request, "again", NULL, again, NULL), 0);
  }
}

static void count_turn(uv_prepare_t *prepare) { ++*(int *)prepare->data; }

/* Who asks again in the callback does not keep others from their turn. */
static void a_request_can_be_used_again_in_its_callback(void **state) {
  safe_uv_lock *request = malloc(sizeof(*request));
  uv_prepare_t prepare;
  uv_loop_t loop;
  int ended = 0, turns = 0;

  (void)state;
  open_loop(&loop);
  uv_prepare_init(&loop, &prepare);
  prepare.data = &turns;
  uv_prepare_start(&prepare, count_turn);
  uv_unref((uv_handle_t *)&prepare);
  assert_non_null(request);
  request->data = &ended;
  assert_uv(safe_uv_lock_file(&loop, request, "again", NULL, again, NULL), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(ended, 1);
  assert_true(turns >= 49);
  uv_close((uv_handle_t *)&prepare, NULL);
  close_loop(&loop);
}

static void close_what_is_mine(uv_handle_t *handle, void *unused) {
  (void)unused;
  if (!uv_is_closing(handle) && !safe_uv_owns(handle)) uv_close(handle, NULL);
}

static void a_host_that_closes_all_leaves_ours_alone(void **state) {
  safe_lock *held = locked_by_another_thread("walked", NULL);
  struct asked asked;
  uv_timer_t timer;
  uv_loop_t loop;

  (void)state;
  open_loop(&loop);
  uv_timer_init(&loop, &timer);
  uv_timer_start(&timer, (uv_timer_cb)abort, 1000000, 0);
  ask(&loop, &asked, "walked", SAFE_FOREVER);
  uv_walk(&loop, close_what_is_mine, NULL);
  assert_uv(safe_uv_lock_cancel(&asked.request), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_uv(asked.status, UV_ECANCELED);
  assert_code(safe_unlock(held), SAFE_OK);
  close_loop(&loop);
}

static void every_code_has_one_of_libuvs(void **state) {
  safe_error error = SAFE_ERROR_INIT;
  int code;

  (void)state;
  assert_uv(safe_uv_code(&error), 0);
  assert_uv(safe_uv_code(NULL), UV_EINVAL);
  for (code = -1; strcmp(safe_code_name(code), "SAFE_?") != 0; code--) {
    error.code = code;
    assert_true(safe_uv_code(&error) < 0);
    assert_true(code == SAFE_ESYSTEM || safe_uv_code(&error) != UV_UNKNOWN);
    assert_true(strncmp(uv_err_name(safe_uv_code(&error)), "Unknown", 7) != 0);
  }
  error.code = code;
  assert_uv(safe_uv_code(&error), UV_UNKNOWN);
  error.code = 1;
  assert_uv(safe_uv_code(&error), UV_UNKNOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_free_lock_is_told_in_a_later_turn),
    cmocka_unit_test(what_the_loop_holds_itself_may_be_waited_for),
    cmocka_unit_test(the_deadline_is_kept_and_the_holder_named),
    cmocka_unit_test(without_waiting_it_is_refused_at_once),
    cmocka_unit_test(a_request_can_be_taken_back),
    cmocka_unit_test(what_was_granted_but_not_told_is_given_back),
    cmocka_unit_test(a_grant_that_the_loop_has_not_seen_is_given_back),
    cmocka_unit_test(a_cancel_of_the_options_ends_it),
    cmocka_unit_test(a_file_of_the_callers_can_be_locked),
    cmocka_unit_test(what_is_wrong_is_told_and_nothing_is_pending),
    cmocka_unit_test(an_unreferenced_request_does_not_keep_the_loop_alive),
    cmocka_unit_test(each_of_many_gets_its_turn),
    cmocka_unit_test(a_request_can_be_used_again_in_its_callback),
    cmocka_unit_test(a_host_that_closes_all_leaves_ours_alone),
    cmocka_unit_test(every_code_has_one_of_libuvs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
