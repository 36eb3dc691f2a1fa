/* SPDX-License-Identifier: MIT */
/* The host's own memory, and what it is told. */
#include "support.h"

#define PATH "locked here"

static const char *const argv[] = {"helper", "sleep", "60000", NULL};

/* ---- Memory. */

static struct memory {
  int in_use;
  int requests;
  bool exhausted;
} memory;

static void *reallocate(void *context, void *block, size_t bytes) {
  struct memory *own = context;

  assert_ptr_equal(own, &memory);
  assert_true(bytes > 0);
  own->requests++;
  if (own->exhausted) return NULL;
  if (block == NULL) own->in_use++;
  return realloc(block, bytes);
}

static void release(void *context, void *block) {
  struct memory *own = context;

  assert_non_null(block);
  own->in_use--;
  free(block);
}

static void an_unfit_allocator_is_refused(void **state) {
  safe_allocator allocator = SAFE_ALLOCATOR_INIT;

  (void)state;
  assert_code(safe_use_allocator(NULL), SAFE_EINVAL);
  assert_code(safe_use_allocator(&allocator), SAFE_EINVAL);
  allocator.reallocate = reallocate;
  assert_code(safe_use_allocator(&allocator), SAFE_EINVAL);
  allocator.release = release;
  allocator.size = 3;
  assert_code(safe_use_allocator(&allocator), SAFE_EINVAL);
}

/* A pending lock, a child with pipes, a list of holders. */
static void use_everything(void) {
  safe_lock_options brief = SAFE_LOCK_OPTIONS_INIT;
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_holder_list *holders;
  safe_process *process;
  safe_lock_wait *wait;
  safe_lock *one, *other;

  brief.timeout_ms = 100 * slowness(); /* more than the begin takes */
  assert_code(safe_lock_file(&one, PATH, NULL, NULL), SAFE_OK);
  assert_code(safe_lock_begin(&wait, PATH, &brief, NULL), SAFE_OK);
  assert_code(safe_lock_finish(wait, &other, NULL), SAFE_ETIMEDOUT);
  assert_code(safe_lock_holders(PATH, 2000, &holders, NULL), SAFE_OK);
  safe_holder_list_free(holders);
  safe_unlock(one);
  options.file = helper_path();
  options.argv = argv;
  options.out.kind = SAFE_STDIO_PIPE;
  assert_code(spawn_surely(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_stop(process, NULL, NULL, NULL), SAFE_OK);
  safe_process_free(process);
  assert_code(safe_shutdown(1000 * slowness()), SAFE_OK);
}

static void all_memory_is_the_hosts(void **state) {
  safe_allocator allocator = SAFE_ALLOCATOR_INIT;
  int kept;

  (void)state;
  allocator.reallocate = reallocate;
  allocator.release = release;
  allocator.context = &memory;
  assert_code(safe_use_allocator(&allocator), SAFE_OK);
  use_everything();
  assert_in_range(memory.requests, 3, 10000);
  kept = memory.in_use;
  use_everything();
  assert_int_equal(memory.in_use, kept);
}

static void its_end_is_an_error(void **state) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;
  int before = memory.in_use;

  (void)state;
  options.file = helper_path();
  options.argv = argv;
  memory.exhausted = true;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_ENOMEM);
  memory.exhausted = false;
  assert_int_equal(memory.in_use, before);
}

static void it_is_not_changed_once_it_is_used(void **state) {
  safe_allocator allocator = SAFE_ALLOCATOR_INIT;

  (void)state;
  allocator.reallocate = reallocate;
  allocator.release = release;
  assert_code(safe_use_allocator(&allocator), SAFE_EBUSY);
}

/* ---- What is told. */

#define MOST 16

static struct told {
  int count;
  int32_t kind[MOST];
  char line[MOST][1024];
} told;

static void note(void *context, int32_t kind, const char *line) {
  struct told *own = context;

  assert_ptr_equal(own, &told);
  assert_in_range(own->count, 0, MOST - 1);
  assert_in_range(strlen(line), 1, 1023);
  assert_null(strchr(line, '\n'));
  own->kind[own->count] = kind;
  snprintf(own->line[own->count], sizeof(own->line[0]), "%s", line);
  own->count++;
}

static const safe_tracer tracer = {sizeof(tracer), note, &told};

static void listen(void) {
  memset(&told, 0, sizeof(told));
  assert_code(safe_use_tracer(&tracer), SAFE_OK);
}

static void expect_told(int at, int32_t kind, const char *part) {
  assert_in_range(at, 0, told.count - 1);
  if (told.kind[at] != kind || strstr(told.line[at], part) == NULL)
    fail_msg("line %d is of kind %d, and not %d with \"%s\": %s", at, (int)told.kind[at], (int)kind, part,
             told.line[at]);
}

static void an_unfit_tracer_is_refused(void **state) {
  safe_tracer without = SAFE_TRACER_INIT, small = tracer;

  (void)state;
  assert_code(safe_use_tracer(&without), SAFE_EINVAL);
  small.size = sizeof(small.size);
  assert_code(safe_use_tracer(&small), SAFE_EINVAL);
}

static void locks_are_told(void **state) {
  safe_lock_options brief = SAFE_LOCK_OPTIONS_INIT, shared = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *one, *other;
  safe_lock_wait *wait;

  (void)state;
  listen();
  brief.timeout_ms = 100 * slowness();
  shared.mode = SAFE_LOCK_SHARED;
  assert_code(safe_lock_file(&one, PATH, NULL, NULL), SAFE_OK);
  assert_code(safe_lock_begin(&wait, PATH, &brief, NULL), SAFE_OK);
  assert_code(safe_lock_finish(wait, &other, NULL), SAFE_ETIMEDOUT);
  assert_code(safe_lock_convert(one, &shared, NULL), SAFE_OK);
  assert_code(safe_lock_begin(&wait, PATH, NULL, NULL), SAFE_OK);
  safe_unlock(one);
  assert_code(safe_lock_finish(wait, &other, NULL), SAFE_OK);
  safe_unlock(other);
  assert_int_not_equal(safe_lock_file(&one, "no/such\nfolder", NULL, NULL), SAFE_OK);
  expect_told(0, SAFE_TRACE_GRANT, "locked here is locked (exclusive).");
  expect_told(1, SAFE_TRACE_WAIT, "locked here is locked by somebody else: waiting for at most ");
  expect_told(2, SAFE_TRACE_FAILURE, "locked here is still locked by somebody else after");
  expect_told(3, SAFE_TRACE_GRANT, "is locked (shared).");
  expect_told(4, SAFE_TRACE_WAIT, "locked here");
  expect_told(5, SAFE_TRACE_GRANT, "is locked (exclusive), after ");
  expect_told(6, SAFE_TRACE_FAILURE, "such?folder"); /* a line is one line */
  assert_int_equal(told.count, 7);
}

static void children_are_told(void **state) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;
  char pid[32];

  (void)state;
  listen();
  options.argv = argv;
  options.file = "no/such/program";
  assert_int_not_equal(safe_spawn(&process, &options, NULL), SAFE_OK);
  options.file = helper_path();
  assert_code(spawn_surely(&process, &options, NULL), SAFE_OK);
  snprintf(pid, sizeof(pid), "Process %d ", (int)safe_process_pid(process));
  assert_code(safe_process_stop(process, NULL, NULL, NULL), SAFE_OK);
  assert_code(safe_process_stop(process, NULL, NULL, NULL), SAFE_OK);
  safe_process_free(process);
  expect_told(0, SAFE_TRACE_FAILURE, "no/such/program");
  expect_told(1, SAFE_TRACE_SPAWN, pid);
  expect_told(1, SAFE_TRACE_SPAWN, helper_path());
  expect_told(2, SAFE_TRACE_STOP, pid);
  expect_told(3, SAFE_TRACE_STOP, "had ended already.");
  assert_int_equal(told.count, 4);
}

static void nobody_is_told_without_a_tracer(void **state) {
  safe_lock *lock;

  (void)state;
  listen();
  assert_code(safe_use_tracer(NULL), SAFE_OK);
  assert_code(safe_lock_file(&lock, PATH, NULL, NULL), SAFE_OK);
  safe_unlock(lock);
  assert_int_equal(told.count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_unfit_allocator_is_refused),
    cmocka_unit_test(all_memory_is_the_hosts), /* before anything else asks for memory */
    cmocka_unit_test(its_end_is_an_error),
    cmocka_unit_test(it_is_not_changed_once_it_is_used),
    cmocka_unit_test(an_unfit_tracer_is_refused),
    cmocka_unit_test(locks_are_told),
    cmocka_unit_test(children_are_told),
    cmocka_unit_test(nobody_is_told_without_a_tracer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
