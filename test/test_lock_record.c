/* SPDX-License-Identifier: MIT */
/* The owner record, and files that are removed with their lock. */
#include "support.h"

static safe_lock_options with(uint32_t flags, const char *label) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.flags |= flags;
  options.timeout_ms = 1000;
  options.label = label;
  return options;
}

static int state_of(const char *path, safe_owner *owner) {
  static const safe_owner none = SAFE_OWNER_INIT;

  *owner = none;
  assert_code(safe_lock_owner(path, owner, NULL), SAFE_OK);
  return owner->state;
}

static bool exists(const char *path) {
  FILE *file = fopen(path, "rb");

  if (file != NULL) fclose(file);
  return file != NULL;
}

static void a_file_that_we_made_has_the_record_inside(void **state) {
  safe_lock_options options = with(SAFE_LOCK_RECORD_OWNER, "session gc");
  safe_owner owner;
  safe_lock *lock;
  int round;

  (void)state;
  for (round = 0; round < 2; round++) { /* the second time the file is there, and knows us */
    assert_code(safe_lock_file(&lock, "inside", &options, NULL), SAFE_OK);
    assert_int_equal(state_of("inside", &owner), SAFE_OWNER_ALIVE);
    assert_true(owner.pid > 0);
    assert_true(owner.since_ms > INT64_C(1700000000000));
    assert_string_equal(owner.label, "session gc");
    assert_false(exists("inside.owner"));
    assert_code(safe_unlock(lock), SAFE_OK);
    assert_int_equal(state_of("inside", &owner), SAFE_OWNER_NONE);
  }
}

static void data_of_a_host_are_not_written_in(void **state) {
  safe_lock_options options = with(SAFE_LOCK_RECORD_OWNER, "beside");
  safe_owner owner;
  safe_lock *lock;
  char *text;

  (void)state;
  make_file("data", "precious");
  assert_code(safe_lock_file(&lock, "data", &options, NULL), SAFE_OK);
  assert_int_equal(state_of("data", &owner), SAFE_OWNER_ALIVE);
  assert_string_equal(owner.label, "beside");
  assert_true(exists("data.owner"));
  text = read_file("data");
  assert_string_equal(text, "precious");
  free(text);
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_false(exists("data.owner"));
  assert_int_equal(state_of("data", &owner), SAFE_OWNER_NONE);
}

static void an_empty_file_of_somebody_else_is_data_too(void **state) {
  safe_lock_options options = with(SAFE_LOCK_RECORD_OWNER, NULL);
  safe_lock *lock;
  char *text;

  (void)state;
  make_file("empty", "");
  assert_code(safe_lock_file(&lock, "empty", &options, NULL), SAFE_OK);
  text = read_file("empty");
  assert_string_equal(text, "");
  free(text);
  assert_code(safe_unlock(lock), SAFE_OK);
}

static void a_file_that_has_the_records_name_is_left_alone(void **state) {
  safe_lock_options options = with(SAFE_LOCK_RECORD_OWNER, NULL);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  char *text;

  (void)state;
  make_file("taken", "data");
  make_file("taken.owner", "somebody else's");
  assert_code(safe_lock_file(&lock, "taken", &options, &error), SAFE_EACCES);
  assert_non_null(strstr(error.message, "owner record"));
  text = read_file("taken.owner");
  assert_string_equal(text, "somebody else's");
  free(text);
  options.flags &= ~(uint32_t)SAFE_LOCK_RECORD_OWNER;
  options.timeout_ms = SAFE_NO_WAIT;
  assert_code(safe_lock_file(&lock, "taken", &options, &error), SAFE_OK); /* nothing stayed locked */
  assert_code(safe_unlock(lock), SAFE_OK);
}

static void a_label_cannot_forge_a_field(void **state) {
  safe_lock_options options = with(SAFE_LOCK_RECORD_OWNER, "x\npid=1\ncheck=0");
  safe_owner owner;
  safe_lock *lock;

  (void)state;
  assert_code(safe_lock_file(&lock, "forged", &options, NULL), SAFE_OK);
  assert_int_equal(state_of("forged", &owner), SAFE_OWNER_ALIVE);
  assert_string_equal(owner.label, "x?pid=1?check=0");
  assert_true(owner.pid != 1);
  assert_code(safe_unlock(lock), SAFE_OK);
}

static void a_record_that_was_tampered_with_is_none(void **state) {
  safe_lock_options options = with(SAFE_LOCK_RECORD_OWNER, "abc");
  safe_owner owner;
  safe_lock *lock;

  (void)state;
  assert_code(safe_lock_file(&lock, "tampered", &options, NULL), SAFE_OK);
  assert_int_equal(safe_lock_write_at(lock, "x", 1, 21), 1);
  assert_int_equal(state_of("tampered", &owner), SAFE_OWNER_NONE);
  assert_code(safe_unlock(lock), SAFE_OK);
  make_file("garbage", "safehold owner 1\npid=12\ncheck=zz");
  assert_int_equal(state_of("garbage", &owner), SAFE_OWNER_NONE);
}

/* The child is killed with the lock, and its record stays. */
static void a_record_of_the_dead_is_known_as_such(void **state) {
  safe_process *holder = start_helper("record", "60000", "dead", NULL);
  safe_owner owner;

  (void)state;
  expect_line(holder, "held");
  assert_int_equal(state_of("dead", &owner), SAFE_OWNER_ALIVE);
  assert_int_equal(owner.pid, safe_process_pid(holder));
  end_helper(holder);
  assert_int_equal(state_of("dead", &owner), SAFE_OWNER_GONE);
}

static const safe_holder *holder_in(const safe_holder_list *list, int64_t pid) {
  const safe_holder *holder;
  size_t at;

  for (at = 0; (holder = safe_holder_list_get(list, at)) != NULL; at++)
    if (holder->pid == pid && holder->role == SAFE_HOLDER_HOLDS) return holder;
  return NULL;
}

/* Where the system does not name who locks, the record does; and everywhere it tells since when. */
static void check_holder(const char *path, int64_t pid) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_owner owner = SAFE_OWNER_INIT;
  safe_explanation *why;
  safe_holder_list *list;

  assert_code(safe_lock_owner(path, &owner, NULL), SAFE_OK);
  assert_int_equal(owner.pid, pid);
  assert_code(safe_lock_holders(path, 5000 * slowness(), &list, NULL), SAFE_OK);
  assert_non_null(holder_in(list, pid));
  assert_int_equal(holder_in(list, pid)->since_ms, owner.since_ms);
  safe_holder_list_free(list);
  options.path = path;
  options.timeout_ms = 5000 * slowness();
  assert_code(safe_explain(&options, &why, NULL), SAFE_OK);
  assert_int_equal(safe_explanation_verdict(why), SAFE_VERDICT_HELD);
  assert_non_null(holder_in(safe_explanation_holders(why), pid));
  assert_int_equal(holder_in(safe_explanation_holders(why), pid)->since_ms, owner.since_ms);
  assert_non_null(strstr(safe_explanation_text(why), "took it "));
  safe_explanation_free(why);
}

static void a_look_tells_since_when(void **state) {
  safe_process *holder;

  (void)state;
  make_file("beside", "data"); /* and so the record is in a file of its own */
  holder = start_helper("record", "60000", "beside", NULL);
  expect_line(holder, "held");
  check_holder("beside", safe_process_pid(holder));
  end_helper(holder);
  holder = start_helper("record", "60000", "within", NULL);
  expect_line(holder, "held");
  check_holder("within", safe_process_pid(holder));
  end_helper(holder);
}

static void bad_record_arguments(void **state) {
  safe_lock_options options = with(SAFE_LOCK_RECORD_OWNER, NULL);
  safe_owner owner = SAFE_OWNER_INIT;
  char label[80];
  safe_lock *lock;

  (void)state;
  options.mode = SAFE_LOCK_SHARED;
  assert_code(safe_lock_file(&lock, "bad", &options, NULL), SAFE_EINVAL);
  memset(label, 'x', sizeof(label));
  label[65] = '\0';
  options = with(SAFE_LOCK_RECORD_OWNER, label);
  assert_code(safe_lock_file(&lock, "bad", &options, NULL), SAFE_EINVAL);
  label[64] = '\0';
  assert_code(safe_lock_file(&lock, "bad", &options, NULL), SAFE_OK);
  assert_int_equal(state_of("bad", &owner), SAFE_OWNER_ALIVE);
  assert_string_equal(owner.label, label);
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_code(safe_lock_owner(NULL, &owner, NULL), SAFE_EINVAL);
  assert_code(safe_lock_owner("bad", NULL, NULL), SAFE_EINVAL);
  assert_code(safe_lock_owner("not-there", &owner, NULL), SAFE_ENOENT);
}

static void a_file_goes_with_its_lock(void **state) {
  safe_lock_options options = with(SAFE_LOCK_REMOVE_ON_UNLOCK, NULL);
  safe_lock *lock;

  (void)state;
  assert_code(safe_lock_file(&lock, "goes", &options, NULL), SAFE_OK);
  assert_true(exists("goes"));
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_false(exists("goes"));
  options.flags |= SAFE_LOCK_RECORD_OWNER;
  assert_code(safe_lock_file(&lock, "goes", &options, NULL), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_false(exists("goes"));
  assert_false(exists("goes.owner"));
  options.mode = SAFE_LOCK_SHARED;
  assert_code(safe_lock_file(&lock, "goes", &options, NULL), SAFE_EINVAL);
}

/* Who waits for a file that is removed gets the lock of the next one of that name. */
static void a_waiter_gets_the_next_file(void **state) {
  safe_lock_options options = with(SAFE_LOCK_REMOVE_ON_UNLOCK, NULL);
  safe_lock_wait *wait;
  safe_lock *held, *lock, *other;

  (void)state;
  options.timeout_ms = 20000;
  assert_code(safe_lock_file(&held, "next", &options, NULL), SAFE_OK);
  assert_code(safe_lock_begin(&wait, "next", &options, NULL), SAFE_OK);
  assert_code(safe_unlock(held), SAFE_OK);
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_OK);
  assert_true(exists("next"));
  options.timeout_ms = SAFE_NO_WAIT;
  assert_code(safe_lock_file(&other, "next", &options, NULL), SAFE_EBUSY);
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_false(exists("next"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_file_that_we_made_has_the_record_inside),
    cmocka_unit_test(data_of_a_host_are_not_written_in),
    cmocka_unit_test(an_empty_file_of_somebody_else_is_data_too),
    cmocka_unit_test(a_file_that_has_the_records_name_is_left_alone),
    cmocka_unit_test(a_label_cannot_forge_a_field),
    cmocka_unit_test(a_record_that_was_tampered_with_is_none),
    cmocka_unit_test(a_record_of_the_dead_is_known_as_such),
    cmocka_unit_test(a_look_tells_since_when),
    cmocka_unit_test(bad_record_arguments),
    cmocka_unit_test(a_file_goes_with_its_lock),
    cmocka_unit_test(a_waiter_gets_the_next_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
