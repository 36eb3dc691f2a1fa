/* SPDX-License-Identifier: MIT */
/* What FreeBSD's threads want by their wait messages (src/unix/freebsd/look_wants.c), with what its kernel would tell
   made up here, and what is concluded of it. */
#include "../src/unix/freebsd/look.h"

#include "explain.h"
#include "support.h"

#define NOW INT64_C(1800000000000)

static struct safe__scene scene;
static struct safe__seen_files files;

static int set_up(void **state) {
  (void)state;
  safe__scene_init(&scene);
  memset(&files, 0, sizeof(files));
  files.known = true;
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  safe__scene_free(&scene);
  return 0;
}

/* ---- What is seen. */

static struct safe__seen_process process(int64_t pid, int64_t parent, char state) {
  struct safe__seen_process seen = {.pid = pid, .parent = parent, .name = "php", .state = state};

  return seen;
}

static struct safe__seen_thread thread(char state, const char *channel, uint64_t address, int64_t slept_s) {
  struct safe__seen_thread seen = {.number = 100001, .state = state, .address = address, .slept_s = slept_s};

  strcpy(seen.channel, channel);
  return seen;
}

static void has_pipe(int fd, uint64_t address, uint64_t peer) {
  files.pipes[files.pipe_count++] = (struct safe__seen_pipe){fd, address, peer};
}

static void has_flock(int fd, uint64_t inode, int64_t helper) {
  struct safe__seen_flock *flock = &files.flocks[files.flock_count++];

  *flock = (struct safe__seen_flock){.helper = helper, .fd = fd, .slept_s = 5, .id = {7, inode, 0}};
  snprintf(flock->name, sizeof(flock->name), "/tmp/%d", (int)inode);
}

static void look(struct safe__seen_process seen, const struct safe__seen_thread *threads, size_t count) {
  safe__look_wants(&scene, &seen, threads, count, &files, NOW);
}

/* The only want of a process with one thread. */
static const struct safe__want *want_of(char state, const char *channel, uint64_t address, int64_t slept_s) {
  const struct safe__seen_thread seen = thread(state, channel, address, slept_s);
  size_t before = scene.want_count;

  look(process(101, 1, state), &seen, 1);
  assert_int_equal(scene.want_count, before + 1);
  assert_int_equal(scene.wants[before].pid, 101);
  return &scene.wants[before];
}

static int32_t verdict(int64_t pid) {
  const struct safe__question question = {-1, pid};
  struct safe__judgement judgement;
  int32_t result;

  assert_true(safe__judge(&scene, &question, 0, &judgement));
  result = judgement.verdict;
  safe__judgement_free(&judgement);
  return result;
}

static void expect_unknown(const char *part) {
  size_t at;

  for (at = 0; at < scene.unknown_count; at++)
    if (strstr(scene.unknown[at], part) != NULL) return;
  fail_msg("\"%s\" is not among the unknown", part);
}

/* ---- States. */

static void a_state_is_a_want(void **state) {
  (void)state;
  assert_int_equal(want_of('R', "", 0, 0)->waits, SAFE_WAITS_NOT);
  assert_int_equal(want_of('D', "biord", 0, 0)->waits, SAFE_WAITS_NOT); /* a disk is read */
  assert_int_equal(want_of('D', "nfsreq", 0, 9)->waits, SAFE_WAITS_KERNEL);
  assert_string_equal(scene.wants[2].what, "nfsreq");
  assert_int_equal(scene.wants[2].since_ms, NOW - 9000);
  assert_int_equal(want_of('T', "", 0, 0)->waits, SAFE_WAITS_CONTINUE);
  assert_int_equal(scene.wants[3].thread, 0);
  assert_int_equal(want_of('Z', "", 0, 0)->waits, SAFE_WAITS_REAPING);
  assert_int_equal(scene.wants[4].other, 1);
  assert_string_equal(safe__scene_find_actor(&scene, 101)->name, "php");
  assert_int_equal(safe__scene_find_actor(&scene, 101)->parent, 1);
  assert_int_equal(safe__scene_find_actor(&scene, 101)->state, 'Z');
}

static void a_debugger_is_named(void **state) {
  struct safe__seen_process traced = process(101, 1, 't');

  (void)state;
  traced.tracer = 77;
  look(traced, NULL, 0);
  assert_int_equal(scene.wants[0].waits, SAFE_WAITS_DEBUGGER);
  assert_int_equal(scene.wants[0].other, 77);
  assert_int_equal(verdict(101), SAFE_VERDICT_STUCK);
}

static void sleeps_have_names(void **state) {
  static const char *const names[][2] = {{"nanslp", "a timer"},
                                         {"kqread", "a kqueue"},
                                         {"sbwait", "a socket"},
                                         {"ttyin", "the terminal"},
                                         {"uwait", "another thread, by a futex"},
                                         {"zfsvfs", "zfsvfs"}};
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(names) / sizeof(names[0]); at++) {
    assert_int_equal(want_of('S', names[at][0], 0, 0)->waits, SAFE_WAITS_OTHER);
    assert_string_equal(scene.wants[at].what, names[at][1]);
  }
}

static void children_are_any(void **state) {
  (void)state;
  assert_int_equal(want_of('S', "wait", 0, 3)->waits, SAFE_WAITS_CHILD);
  assert_int_equal(scene.wants[0].other, SAFE__ANY_CHILD);
  assert_int_equal(want_of('D', "ppwait", 0, 3)->waits, SAFE_WAITS_CHILD);
  assert_non_null(strstr(scene.wants[1].what, "vfork"));
}

/* ---- Pipes: by the address that is slept on. */

static void a_reader_sleeps_on_its_own_end(void **state) {
  const struct safe__want *want;

  (void)state;
  has_pipe(0, 0x10, 0x20);
  has_pipe(1, 0x40, 0x30);
  want = want_of('S', "piperd", 0x10, 4);
  assert_int_equal(want->waits, SAFE_WAITS_INPUT);
  assert_int_equal(want->handle, 0);
  assert_int_equal(want->since_ms, NOW - 4000);
  assert_int_equal(scene.objects[want->object].kind, SAFE__OBJECT_PIPE);
  assert_int_equal(scene.objects[want->object].id.low, 0x10);
}

static void a_writer_sleeps_on_the_other_end(void **state) {
  static const char *const channels[] = {"pipewr", "pipbww", "pipdww", "pipdwc", "pipdwt"};
  size_t at;

  (void)state;
  has_pipe(0, 0x10, 0x20);
  has_pipe(1, 0x40, 0x30);
  for (at = 0; at < sizeof(channels) / sizeof(channels[0]); at++) {
    const struct safe__want *want = want_of('S', channels[at], 0x30, 4);
    assert_int_equal(want->waits, SAFE_WAITS_ROOM);
    assert_int_equal(want->handle, 1);
    assert_int_equal(scene.objects[want->object].id.low, 0x30);
  }
  assert_int_equal(scene.object_count, 1);
}

static void a_pipe_without_an_address_is_unknown(void **state) {
  (void)state;
  assert_int_equal(want_of('S', "piperd", 0, 4)->object, -1);
  expect_unknown("Which pipe process 101 waits for");
}

/* ---- Locks. */

static void the_only_file_is_the_one(void **state) {
  const struct safe__want *want;

  (void)state;
  has_flock(5, 12, 0);
  want = want_of('S', "lockf", 0x99, 4);
  assert_int_equal(want->waits, SAFE_WAITS_LOCK);
  assert_int_equal(want->method, SAFE_METHOD_FLOCK);
  assert_int_equal(want->handle, 5);
  assert_string_equal(scene.objects[want->object].name, "/tmp/12");
  assert_int_equal(scene.objects[want->object].id.low, 12);
}

static void of_two_files_none_is_named(void **state) {
  (void)state;
  has_flock(5, 12, 0);
  has_flock(6, 13, 0);
  assert_int_equal(want_of('S', "lockf", 0x99, 4)->object, -1);
  expect_unknown("which file process 101 waits to lock");
}

static void nor_where_record_locks_were_asked_for(void **state) {
  (void)state;
  has_flock(5, 12, 0);
  files.record_locks = true;
  assert_int_equal(want_of('S', "lockf", 0x99, 4)->object, -1);
  expect_unknown("which file process 101 waits to lock");
}

static void a_helper_queues_for_its_host(void **state) {
  const struct safe__want *want;

  (void)state;
  has_flock(5, 12, 0);
  has_flock(3, 13, 900);
  want = want_of('S', "select", 0, 4); /* of the host itself */
  assert_int_equal(want->waits, SAFE_WAITS_LOCK);
  assert_int_equal(want->thread, 100001);
  assert_int_equal(want->since_ms, NOW - 5000);
  assert_int_equal(scene.objects[want->object].id.low, 13);
}

static void of_several_threads_one_has_a_helper(void **state) {
  const struct safe__seen_thread threads[] = {thread('R', "", 0, 0), thread('S', "select", 0, 4)};

  (void)state;
  has_flock(3, 13, 900);
  look(process(101, 1, 'R'), threads, 2);
  assert_int_equal(scene.want_count, 3);
  assert_int_equal(scene.wants[0].waits, SAFE_WAITS_LOCK);
  assert_int_equal(scene.wants[0].thread, 900);
  assert_int_equal(scene.wants[1].waits, SAFE_WAITS_NOT);
  assert_int_equal(scene.wants[2].waits, SAFE_WAITS_OTHER);
}

/* ---- The story: a parent waits for its child, which reads from a pipe that only the parent could write to. */

static void has_end(int64_t pid, int64_t fd, int32_t role) {
  safe_holder holder = {.pid = pid, .handle = fd, .role = role, .mode = -1, .method = -1};

  assert_true(safe__holder_add(&scene.objects[0].holders, &holder));
  scene.objects[0].examined = true;
}

static void parent_child_and_pipe(bool other_writer) {
  const struct safe__seen_thread reads = thread('S', "piperd", 0x10, 60), waits = thread('S', "wait", 0x77, 60),
                                 runs = thread('R', "", 0, 0);

  has_pipe(0, 0x10, 0x20);
  look(process(117, 101, 'S'), &reads, 1);
  look(process(101, 1, 'S'), &waits, 1);
  has_end(117, 0, SAFE__END_READS);
  has_end(101, 7, SAFE__END_WRITES);
  if (!other_writer) return;
  look(process(200, 1, 'R'), &runs, 1);
  has_end(200, 4, SAFE__END_WRITES);
}

static void a_circle_is_found(void **state) {
  (void)state;
  parent_child_and_pipe(false);
  assert_int_equal(verdict(101), SAFE_VERDICT_CYCLE);
}

static void another_writer_breaks_it(void **state) {
  (void)state;
  parent_child_and_pipe(true);
  assert_int_equal(verdict(101), SAFE_VERDICT_HELD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(a_state_is_a_want),
    TEST(a_debugger_is_named),
    TEST(sleeps_have_names),
    TEST(children_are_any),
    TEST(a_reader_sleeps_on_its_own_end),
    TEST(a_writer_sleeps_on_the_other_end),
    TEST(a_pipe_without_an_address_is_unknown),
    TEST(the_only_file_is_the_one),
    TEST(of_two_files_none_is_named),
    TEST(nor_where_record_locks_were_asked_for),
    TEST(a_helper_queues_for_its_host),
    TEST(of_several_threads_one_has_a_helper),
    TEST(a_circle_is_found),
    TEST(another_writer_breaks_it),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
