/* SPDX-License-Identifier: MIT */
/* A kernel that grants late, refuses to cancel, or races, played on every system. */
#include "os.h"
#include "support.h"
#include "timed_wait.h"

struct kernel {
  int64_t grant_at;        /* ms after the start; -1 = never by itself */
  bool grant_when_revoked; /* the grant and the cancel meet */
  bool deaf;               /* takes nothing back */
  bool dies;               /* the request ends without an answer */
  int interrupts;          /* so many signals come */
  int answers;             /* the kernel answers the request with this error */
  /* what happened */
  int64_t started;
  bool granted, revoked, parked, released;
  int awaits, looks;
};

static bool done(struct kernel *kernel) {
  if (kernel->grant_at >= 0 && now_ms() >= kernel->started + kernel->grant_at) kernel->granted = true;
  return kernel->granted || kernel->dies || kernel->answers != 0;
}

static int await(void *request, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct kernel *kernel = request;

  if (interruptible && kernel->interrupts-- > 0) return SAFE_EINTR;

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

static void release(void *request) { ((struct kernel *)request)->released = true; }

static const struct safe__wait_calls calls = {await, take_back, settle, park, release, NULL, NULL};

static void count_look(void *context) { ((struct kernel *)context)->looks++; }

/* Waits, and takes back what is still queued at the end: what safe__wait_until and safe__wait_give_up answer. */
struct outcome {
  int until, given_up; /* given_up: 1 where there was nothing to give up */
};

static struct outcome play_until(struct kernel *kernel, int64_t deadline, struct safe__notice *notice,
                                 safe_cancel *cancel, bool interruptible) {
  struct safe__wait wait = {&calls, kernel, SAFE_WAIT_QUEUED, false};
  struct outcome outcome = {0, 1};
  safe_error error = SAFE_ERROR_INIT;

  kernel->started = now_ms();
  outcome.until = safe__wait_until(&wait, deadline, notice, cancel, interruptible, &error);
  if (wait.calls != NULL) outcome.given_up = safe__wait_give_up(&wait, &error);
  assert_null(wait.calls);
  assert_int_equal(kernel->parked + kernel->released, 1);
  return outcome;
}

static struct outcome play(struct kernel *kernel, int64_t timeout_ms, safe_cancel *cancel) {
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};

  return play_until(kernel, safe__deadline(timeout_ms), &none, cancel, false);
}

static void assert_outcome(struct outcome outcome, int until, int given_up) {
  assert_code(outcome.until, until);
  assert_int_equal(outcome.given_up, given_up);
}

#define NOTHING_LEFT 1

static void granted_at_once(void **state) {
  struct kernel kernel = {.grant_at = 0};

  (void)state;
  assert_outcome(play(&kernel, 100, NULL), SAFE_OK, NOTHING_LEFT);
  assert_false(kernel.revoked);
}

static void granted_late_but_in_time(void **state) {
  struct kernel kernel = {.grant_at = 30};

  (void)state;
  assert_outcome(play(&kernel, 5000, NULL), SAFE_OK, NOTHING_LEFT);
  assert_false(kernel.revoked);
}

static void not_granted_is_taken_back(void **state) {
  struct kernel kernel = {.grant_at = -1};

  (void)state;
  assert_outcome(play(&kernel, 20, NULL), SAFE_ETIMEDOUT, SAFE_EBUSY);
  assert_true(kernel.revoked);
  assert_true(kernel.released);
}

static void a_grant_that_wins_against_the_deadline_is_told(void **state) {
  struct kernel kernel = {.grant_at = -1, .grant_when_revoked = true};

  (void)state;
  assert_outcome(play(&kernel, 20, NULL), SAFE_ETIMEDOUT, SAFE_OK);
}

static void a_grant_that_wins_against_a_cancel_is_told(void **state) {
  struct kernel kernel = {.grant_at = -1, .grant_when_revoked = true};
  safe_cancel *cancel;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  assert_outcome(play(&kernel, 5000, cancel), SAFE_ECANCELED, SAFE_OK);
  safe_cancel_free(cancel);
}

static void a_cancel_without_a_grant(void **state) {
  struct kernel kernel = {.grant_at = -1};
  safe_cancel *cancel;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  assert_outcome(play(&kernel, 5000, cancel), SAFE_ECANCELED, SAFE_EBUSY);
  assert_true(kernel.revoked);
  safe_cancel_free(cancel);
}

static void a_signal_leaves_the_request_queued(void **state) {
  struct kernel kernel = {.grant_at = -1, .interrupts = 1};
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};

  (void)state;
  assert_outcome(play_until(&kernel, safe__deadline(5000), &none, NULL, true), SAFE_EINTR, SAFE_EBUSY);
}

static void a_signal_that_nobody_asked_about_is_not_told(void **state) {
  struct kernel kernel = {.grant_at = 10, .interrupts = 1};

  (void)state;
  assert_outcome(play(&kernel, 5000, NULL), SAFE_OK, NOTHING_LEFT);
}

static void a_kernel_that_takes_nothing_back_leads_to_parking(void **state) {
  struct kernel kernel = {.grant_at = -1, .deaf = true};

  (void)state;
  assert_outcome(play(&kernel, 20, NULL), SAFE_ETIMEDOUT, SAFE_ESTUCK);
  assert_true(kernel.parked);
}

/* For who must not wait: as long as there is time, what is still there is neither parked nor let go of. */
static void taken_back_in_steps(void **state) {
  struct kernel kernel = {.grant_at = -1, .deaf = true};
  struct safe__wait wait = {&calls, &kernel, SAFE_WAIT_QUEUED, false};
  safe_error error = SAFE_ERROR_INIT;
  int64_t deadline;

  (void)state;
  deadline = safe__wait_revoke(&wait);
  assert_true(kernel.revoked);
  assert_in_range(deadline, 1, safe__deadline(SAFE__SETTLE_MS));
  assert_int_equal(safe__wait_take_back(&wait, 0, deadline, &error), SAFE__AGAIN);
  assert_false(kernel.parked || kernel.released);
  assert_non_null(wait.calls);
  kernel.deaf = false;
  assert_code(safe__wait_take_back(&wait, 0, deadline, &error), SAFE_EBUSY);
  assert_true(kernel.released);
  assert_null(wait.calls);
}

static void a_grant_between_two_steps(void **state) {
  struct kernel kernel = {.grant_at = -1, .deaf = true};
  struct safe__wait wait = {&calls, &kernel, SAFE_WAIT_QUEUED, false};
  safe_error error = SAFE_ERROR_INIT;
  int64_t deadline;

  (void)state;
  deadline = safe__wait_revoke(&wait);
  assert_int_equal(safe__wait_take_back(&wait, 0, deadline, &error), SAFE__AGAIN);
  kernel.granted = true;
  assert_code(safe__wait_take_back(&wait, 0, deadline, &error), SAFE_OK);
  assert_true(kernel.released);
}

static void steps_come_to_an_end(void **state) {
  struct kernel kernel = {.grant_at = -1, .deaf = true};
  struct safe__wait wait = {&calls, &kernel, SAFE_WAIT_QUEUED, false};
  safe_error error = SAFE_ERROR_INIT;

  (void)state;
  safe__wait_revoke(&wait);
  assert_code(safe__wait_take_back(&wait, 0, safe__os_now() - 1, &error), SAFE_ESTUCK);
  assert_true(kernel.parked);
  assert_null(wait.calls);
  assert_non_null(strstr(error.message, "parked"));
}

static void a_request_that_ends_without_an_answer_is_said(void **state) {
  struct kernel kernel = {.grant_at = -1, .dies = true};

  (void)state;
  assert_outcome(play(&kernel, 1000, NULL), SAFE_EBUSY, NOTHING_LEFT);
}

static void an_error_for_an_answer(void **state) {
  struct kernel kernel = {.grant_at = -1, .answers = SAFE_ENOLCK};

  (void)state;
  assert_outcome(play(&kernel, 1000, NULL), SAFE_ENOLCK, NOTHING_LEFT);
  assert_false(kernel.parked);
}

static void the_notice_comes_once_and_before_the_deadline(void **state) {
  struct kernel kernel = {.grant_at = -1};
  struct safe__notice notice = {0, count_look, &kernel};

  (void)state;
  notice.at = safe__deadline(10);
  assert_outcome(play_until(&kernel, safe__deadline(400), &notice, NULL, false), SAFE_ETIMEDOUT, SAFE_EBUSY);
  assert_int_equal(kernel.looks, 1);
  assert_int_equal(kernel.awaits, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(granted_at_once),
    cmocka_unit_test(granted_late_but_in_time),
    cmocka_unit_test(not_granted_is_taken_back),
    cmocka_unit_test(a_grant_that_wins_against_the_deadline_is_told),
    cmocka_unit_test(a_grant_that_wins_against_a_cancel_is_told),
    cmocka_unit_test(a_cancel_without_a_grant),
    cmocka_unit_test(a_signal_leaves_the_request_queued),
    cmocka_unit_test(a_signal_that_nobody_asked_about_is_not_told),
    cmocka_unit_test(a_kernel_that_takes_nothing_back_leads_to_parking),
    cmocka_unit_test(taken_back_in_steps),
    cmocka_unit_test(a_grant_between_two_steps),
    cmocka_unit_test(steps_come_to_an_end),
    cmocka_unit_test(a_request_that_ends_without_an_answer_is_said),
    cmocka_unit_test(an_error_for_an_answer),
    cmocka_unit_test(the_notice_comes_once_and_before_the_deadline),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
