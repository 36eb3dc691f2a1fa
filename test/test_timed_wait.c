/* SPDX-License-Identifier: MIT */
/* A kernel that grants late, refuses to cancel, or races, played on every system. */
#include "support.h"
#include "timed_wait.h"

struct kernel {
  int64_t grant_at;        /* ms after the start; -1 = never by itself */
  bool grant_when_revoked; /* the grant and the cancel meet */
  bool deaf;               /* takes nothing back */
  bool dies;               /* the request ends without an answer */
  int refuses;             /* start answers with this */
  int answers;             /* the kernel answers the request with this error */
  /* what happened */
  int64_t started;
  bool granted, revoked, parked;
  int awaits, looks;
};

static bool done(struct kernel *kernel) {
  if (kernel->grant_at >= 0 && now_ms() >= kernel->started + kernel->grant_at) kernel->granted = true;
  return kernel->granted || kernel->dies || kernel->answers != 0;
}

static int start(void *request, safe_error *error) {
  struct kernel *kernel = request;

  if (kernel->refuses != 0) return safe__fail(error, kernel->refuses, SAFE_STAGE_LOCK, -1, "Refused.");
  kernel->started = now_ms();
  return SAFE_OK;
}

static int await(void *request, int64_t deadline, safe_cancel *cancel) {
  struct kernel *kernel = request;

  kernel->awaits++;
  while (!done(kernel)) {
    if (cancel != NULL) return SAFE_ECANCELED;
    if (now_ms() * SAFE__MS >= deadline) return SAFE_ETIMEDOUT;
    sleep_ms(1);
  }
  return SAFE_OK;
}

static void take_back(void *request) {
  struct kernel *kernel = request;

  kernel->revoked = true;
  if (kernel->grant_when_revoked) kernel->granted = true;
}

static int settle(void *request, int64_t deadline, safe_error *error) {
  struct kernel *kernel = request;

  (void)deadline;
  if (kernel->answers != 0) return safe__fail(error, kernel->answers, SAFE_STAGE_LOCK, -1, "Answered.");
  if (kernel->granted) return SAFE_OK;
  if (kernel->dies) return SAFE_EBUSY;
  return kernel->deaf ? SAFE_ESTUCK : SAFE_EBUSY;
}

static void park(void *request) { ((struct kernel *)request)->parked = true; }

static const struct safe__wait_calls calls = {start, await, take_back, settle, park};

static void count_look(void *context) { ((struct kernel *)context)->looks++; }

static int play(struct kernel *kernel, int64_t timeout_ms, safe_cancel *cancel, bool *granted) {
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};
  safe_error error = SAFE_ERROR_INIT;

  return safe__timed_wait(&calls, kernel, safe__deadline(timeout_ms), &none, cancel, granted, &error);
}

static void granted_at_once(void **state) {
  struct kernel kernel = {.grant_at = 0};
  bool granted;

  (void)state;
  assert_code(play(&kernel, 100, NULL, &granted), SAFE_OK);
  assert_true(granted);
  assert_false(kernel.revoked);
}

static void granted_late_but_in_time(void **state) {
  struct kernel kernel = {.grant_at = 30};
  bool granted;

  (void)state;
  assert_code(play(&kernel, 5000, NULL, &granted), SAFE_OK);
  assert_true(granted);
  assert_false(kernel.revoked);
}

static void not_granted_is_taken_back(void **state) {
  struct kernel kernel = {.grant_at = -1};
  bool granted;

  (void)state;
  assert_code(play(&kernel, 20, NULL, &granted), SAFE_ETIMEDOUT);
  assert_false(granted);
  assert_true(kernel.revoked);
  assert_false(kernel.parked);
}

static void a_grant_that_wins_against_the_deadline_is_kept(void **state) {
  struct kernel kernel = {.grant_at = -1, .grant_when_revoked = true};
  bool granted;

  (void)state;
  assert_code(play(&kernel, 20, NULL, &granted), SAFE_OK);
  assert_true(granted);
}

static void a_grant_that_wins_against_a_cancel_is_told_and_given_back(void **state) {
  struct kernel kernel = {.grant_at = -1, .grant_when_revoked = true};
  safe_cancel *cancel;
  bool granted;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  assert_code(play(&kernel, 5000, cancel, &granted), SAFE_ECANCELED);
  assert_true(granted);
  safe_cancel_free(cancel);
}

static void a_cancel_without_a_grant(void **state) {
  struct kernel kernel = {.grant_at = -1};
  safe_cancel *cancel;
  bool granted;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  assert_code(play(&kernel, 5000, cancel, &granted), SAFE_ECANCELED);
  assert_false(granted);
  assert_true(kernel.revoked);
  safe_cancel_free(cancel);
}

static void a_kernel_that_takes_nothing_back_leads_to_parking(void **state) {
  struct kernel kernel = {.grant_at = -1, .deaf = true};
  bool granted;

  (void)state;
  assert_code(play(&kernel, 20, NULL, &granted), SAFE_ESTUCK);
  assert_false(granted);
  assert_true(kernel.parked);
}

static void a_request_that_ends_without_an_answer_is_said(void **state) {
  struct kernel kernel = {.grant_at = -1, .dies = true};
  bool granted;

  (void)state;
  assert_code(play(&kernel, 1000, NULL, &granted), SAFE_EBUSY);
  assert_false(granted);
}

static void a_refused_start_leaves_nothing_to_take_back(void **state) {
  struct kernel kernel = {.grant_at = -1, .refuses = SAFE_ENOLCK};
  bool granted;

  (void)state;
  assert_code(play(&kernel, 1000, NULL, &granted), SAFE_ENOLCK);
  assert_int_equal(kernel.awaits, 0);
  assert_false(kernel.revoked);
}

static void an_error_for_an_answer(void **state) {
  struct kernel kernel = {.grant_at = -1, .answers = SAFE_ENOLCK};
  bool granted;

  (void)state;
  assert_code(play(&kernel, 1000, NULL, &granted), SAFE_ENOLCK);
  assert_false(granted);
  assert_false(kernel.parked);
}

static void the_notice_comes_once_and_before_the_deadline(void **state) {
  struct kernel kernel = {.grant_at = -1};
  struct safe__notice notice = {0, count_look, &kernel};
  safe_error error = SAFE_ERROR_INIT;
  bool granted;

  (void)state;
  notice.at = safe__deadline(10);
  assert_code(safe__timed_wait(&calls, &kernel, safe__deadline(400), &notice, NULL, &granted, &error), SAFE_ETIMEDOUT);
  assert_int_equal(kernel.looks, 1);
  assert_int_equal(kernel.awaits, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(granted_at_once),
    cmocka_unit_test(granted_late_but_in_time),
    cmocka_unit_test(not_granted_is_taken_back),
    cmocka_unit_test(a_grant_that_wins_against_the_deadline_is_kept),
    cmocka_unit_test(a_grant_that_wins_against_a_cancel_is_told_and_given_back),
    cmocka_unit_test(a_cancel_without_a_grant),
    cmocka_unit_test(a_kernel_that_takes_nothing_back_leads_to_parking),
    cmocka_unit_test(a_request_that_ends_without_an_answer_is_said),
    cmocka_unit_test(a_refused_start_leaves_nothing_to_take_back),
    cmocka_unit_test(an_error_for_an_answer),
    cmocka_unit_test(the_notice_comes_once_and_before_the_deadline),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
