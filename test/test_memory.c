/* SPDX-License-Identifier: MIT */
/* The n-th request for memory fails, for every n: the call says so, and nothing is left behind. */
#include "internal.h"
#include "support.h"

static int left; /* requests that succeed before one fails */
static bool failed;

static void *counting_realloc(void *memory, size_t size) {
  if (left-- == 0) {
    failed = true;
    return NULL;
  }
  return realloc(memory, size);
}

static int lock_once(void) {
  safe_lock_options brief = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *one, *other;
  safe_lock_wait *wait;
  int code = safe_lock_file(&one, "memory", NULL, NULL);

  if (code != SAFE_OK) return code;
  brief.timeout_ms = 10;
  code = safe_lock_begin(&wait, "memory", &brief, NULL);
  if (code == SAFE_OK) code = safe_lock_finish(wait, &other, NULL);
  safe_unlock(one);
  return code == SAFE_ETIMEDOUT ? SAFE_OK : code;
}

static int record_once(void) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;
  int code;

  options.flags |= SAFE_LOCK_RECORD_OWNER | SAFE_LOCK_REMOVE_ON_UNLOCK;
  make_file("recorded", "data");
  code = safe_lock_file(&lock, "recorded", &options, NULL);
  if (code == SAFE_OK) code = safe_unlock(lock);
  return code;
}

static int spawn_once(void) {
  const char *const argv[] = {"helper", "both", "100000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process;
  int code;

  options.file = helper_path();
  options.argv = argv;
  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
  code = safe_spawn(&process, &options, NULL);
  if (code != SAFE_OK) return code;
  code = safe_process_communicate(process, NULL, &output, NULL);
  safe_output_free(&output);
  if (code != SAFE_OK) {
    safe_stop_options at_once = SAFE_STOP_OPTIONS_INIT;
    int tries = 0;
    at_once.grace_ms = 0; /* and 100 ms in all, in which a machine that has more to do may not end anybody */
    while (safe_process_stop(process, &at_once, NULL, NULL) != SAFE_OK) assert_in_range(++tries, 1, 50);
  }
  safe_process_free(process);
  return code;
}

static int stop_once(void) {
  const char *const argv[] = {"helper", "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_options at_once = SAFE_STOP_OPTIONS_INIT;
  safe_process *process;
  safe_stop *stop;
  int code;

  options.file = helper_path();
  options.argv = argv;
  at_once.grace_ms = 0;
  code = safe_spawn(&process, &options, NULL);
  if (code != SAFE_OK) return code;
  code = safe_stop_begin(&stop, process, &at_once, NULL);
  if (code == SAFE_OK) code = safe_stop_finish(stop, NULL, NULL);
  end_helper(process); /* also one whose stop could not be begun, or for whom a busy machine had no time */
  return code == SAFE_ESTUCK ? SAFE_OK : code;
}

static int cancel_once(void) {
  safe_cancel *cancel;
  int code = safe_cancel_create(&cancel);

  if (code == SAFE_OK) safe_cancel_free(cancel);
  return code;
}

static int ask_once(void) {
  safe_holder_list *list;
  safe_lock *lock;
  int code = safe_lock_file(&lock, "asked", NULL, NULL);

  if (code != SAFE_OK) return code;
  code = safe_lock_holders("asked", 2000, &list, NULL);
  safe_holder_list_free(list);
  safe_unlock(lock);
  return code;
}

static int audit_once(void) {
  safe_audit_options options = SAFE_AUDIT_OPTIONS_INIT;
  safe_handle_list *list;
  int code;

  options.flags = SAFE_AUDIT_STANDARD;
  code = safe_audit_handles(&options, &list, NULL);
  safe_handle_list_free(list);
  return code;
}

static int explain_once(void) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_explanation *why;
  safe_lock *lock;
  int code = safe_lock_file(&lock, "explained", NULL, NULL);

  if (code != SAFE_OK) return code;
  options.path = "explained";
  code = safe_explain(&options, &why, NULL);
  if (code == SAFE_OK) {
    assert_non_null(safe_explanation_text(why));
    safe_explanation_free(why);
  } else {
    assert_null(why);
  }
  safe_unlock(lock);
  return code;
}

static void sweep(int (*once)(void)) {
  int before, n, code;

  assert_code(once(), SAFE_OK); /* what is made once is made by now */
  assert_code(safe_shutdown(5000), SAFE_OK);
  before = count_handles();
  for (n = 0;; n++) {
    assert_true(n < 1000);
    left = n;
    failed = false;
    safe__realloc = counting_realloc;
    code = once();
    safe__realloc = realloc;
    /* A list may be incomplete for want of memory, and a parked thing go unnoted; all else says so. */
    if (code != SAFE_OK && code != SAFE_ENOMEM) fail_msg("request %d: %s", n, safe_code_name(code));
    assert_code(safe_shutdown(5000), SAFE_OK);
    assert_int_equal(count_handles(), before);
    if (!failed) break;
  }
  assert_true(n > 0);
}

static void locking(void **state) {
  (void)state;
  sweep(lock_once);
}

static void recording(void **state) {
  (void)state;
  sweep(record_once);
}

static void spawning_and_communicating(void **state) {
  (void)state;
  sweep(spawn_once);
}

static void stopping(void **state) {
  (void)state;
  sweep(stop_once);
}

static void cancelling(void **state) {
  (void)state;
  sweep(cancel_once);
}

static void asking(void **state) {
  (void)state;
  sweep(ask_once);
}

static void auditing(void **state) {
  (void)state;
  sweep(audit_once);
}

static void explaining(void **state) {
  (void)state;
  sweep(explain_once);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(locking),    cmocka_unit_test(recording), cmocka_unit_test(spawning_and_communicating),
    cmocka_unit_test(cancelling), cmocka_unit_test(asking),    cmocka_unit_test(explaining),
    cmocka_unit_test(auditing),   cmocka_unit_test(stopping),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
