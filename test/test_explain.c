/* SPDX-License-Identifier: MIT */
/* What is concluded from a scene, and how it is told: each rule both ways, in scenes made by hand. */
#include <time.h>

#include "play_scene.h"

static struct safe__scene scene;

static int set_up(void **state) {
  (void)state;
  safe__scene_init(&scene);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  safe__scene_free(&scene);
  return 0;
}

static struct safe__question about_file(int32_t file) { return (struct safe__question){file, 0}; }
static struct safe__question about_process(int64_t pid) { return (struct safe__question){-1, pid}; }

static int32_t verdict(struct safe__question question) {
  struct safe__judgement judgement;
  int32_t result;

  assert_true(safe__judge(&scene, &question, 0, &judgement));
  result = judgement.verdict;
  assert_true((result == SAFE_VERDICT_CYCLE) == (judgement.cycle_count > 0));
  safe__judgement_free(&judgement);
  return result;
}

static char *text(struct safe__question question) {
  struct safe__judgement judgement;
  char *result;

  assert_true(safe__judge(&scene, &question, 0, &judgement));
  result = safe__explain_text(&judgement, &question);
  assert_non_null(result);
  safe__judgement_free(&judgement);
  return result;
}

static void tells(struct safe__question question, const char *part) {
  char *all = text(question);

  if (strstr(all, part) == NULL) fail_msg("\"%s\" is not in:\n%s", part, all);
  safe__free(all);
}

static void tells_not(struct safe__question question, const char *part) {
  char *all = text(question);

  if (strstr(all, part) != NULL) fail_msg("\"%s\" is in:\n%s", part, all);
  safe__free(all);
}

/* ---- Who can go on. */

static void a_process_alone(void **state) {
  (void)state;
  play_actor(&scene, 1, "runs", 'R', 0);
  play_want(&scene, 1, SAFE_WAITS_NOT);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_FREE);
  play_actor(&scene, 2, "sleeps", 'S', 0);
  play_want(&scene, 2, SAFE_WAITS_OTHER);
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_FREE);
  play_actor(&scene, 3, "stopped", 'T', 0);
  play_want(&scene, 3, SAFE_WAITS_CONTINUE)->thread = 0;
  assert_int_equal(verdict(about_process(3)), SAFE_VERDICT_STUCK);
  tells(about_process(3), "\"kill -CONT 3\" would let stopped[3] go on.");
  play_actor(&scene, 4, "dead-disk", 'D', 0);
  play_want(&scene, 4, SAFE_WAITS_KERNEL);
  assert_int_equal(verdict(about_process(4)), SAFE_VERDICT_STUCK);
  tells_not(about_process(4), "Ending");
  play_actor(&scene, 5, "traced", 't', 0);
  play_actor(&scene, 6, "gdb", 'R', 0);
  play_want(&scene, 6, SAFE_WAITS_NOT);
  play_other_want(&scene, 5, SAFE_WAITS_DEBUGGER, 6);
  assert_int_equal(verdict(about_process(5)), SAFE_VERDICT_STUCK);
  tells(about_process(5), "traced[5] is stopped by its debugger, gdb[6].\n");
  play_actor(&scene, 7, "secret", 'S', 0)->hidden = true;
  assert_int_equal(verdict(about_process(7)), SAFE_VERDICT_UNKNOWN);
  assert_int_equal(verdict(about_process(999)), SAFE_VERDICT_UNKNOWN);
}

static void a_wait_that_ends_by_itself(void **state) {
  int32_t file = play_file(&scene, "f");

  (void)state;
  play_actor(&scene, 1, "stopped", 'T', 0);
  play_want(&scene, 1, SAFE_WAITS_CONTINUE);
  play_lock(&scene, file, 1, SAFE_METHOD_OFD, SAFE_VIA_LOCKED);
  play_actor(&scene, 2, "patient", 'S', 0);
  play_lock_want(&scene, 2, file, SAFE_METHOD_OFD);
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
  scene.wants[1].limit_ms = 5000;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_HELD);
  tells(about_process(2), "for at most 5 s.");
}

static void threads_and_alternatives(void **state) {
  int32_t pipe = play_pipe(&scene);

  (void)state;
  play_actor(&scene, 1, "stopped", 'T', 0);
  play_want(&scene, 1, SAFE_WAITS_CONTINUE)->thread = 0;
  play_holder(&scene, pipe, 1, SAFE__END_WRITES);
  play_actor(&scene, 2, "reader", 'S', 0);
  play_object_want(&scene, 2, SAFE_WAITS_INPUT, pipe);
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
  play_other_want(&scene, 2, SAFE_WAITS_CHILD, 1); /* of the same thread: neither comes */
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
  play_want(&scene, 2, SAFE_WAITS_OTHER); /* and now a third, which does */
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_HELD);
  scene.wants[scene.want_count - 1].waits = SAFE_WAITS_KERNEL;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
  scene.wants[scene.want_count - 1].waits = SAFE_WAITS_NOT;
  scene.wants[scene.want_count - 1].thread = 22; /* another thread */
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_HELD);
  play_want(&scene, 2, SAFE_WAITS_CONTINUE)->thread = 0; /* but all of them are stopped */
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
}

static struct safe__want *play_join(int64_t pid, int64_t thread) {
  struct safe__want *want = play_other_want(&scene, pid, SAFE_WAITS_OTHER, pid);

  want->thread = thread;
  want->within = true;
  strcpy(want->what, "another thread, by a futex");
  return want;
}

/* Two whose first threads join the others, of which one asks for the other's lock. */
static void play_crossed(int32_t one, int32_t other) {
  int64_t pid;

  for (pid = 1; pid <= 2; pid++) {
    play_actor(&scene, pid, "pool", 'S', 0);
    play_lock(&scene, pid == 1 ? one : other, pid, SAFE_METHOD_OFD, SAFE_VIA_LOCKED);
    play_join(pid, pid);
    play_lock_want(&scene, pid, pid == 1 ? other : one, SAFE_METHOD_OFD)->thread = 10 + pid;
  }
}

static void a_thread_that_waits_for_the_others(void **state) {
  int32_t one = play_file(&scene, "one"), other = play_file(&scene, "other");
  struct safe__want *third;

  (void)state;
  play_crossed(one, other);
  assert_int_equal(verdict(about_file(one)), SAFE_VERDICT_CYCLE);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_CYCLE);
  tells(about_process(1), "pool[1] waits for a lock on other");
  tells(about_process(1), "nobody can go on.");
  third = play_join(1, 12); /* a third one that waits for them, too, changes nothing */
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_CYCLE);
  third->within = false; /* but it may end by a time, a signal, or another process */
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_HELD);
  third->waits = SAFE_WAITS_NOT; /* it runs, and with it all that wait for it */
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
  assert_int_equal(verdict(about_file(other)), SAFE_VERDICT_HELD);
  third->waits = SAFE_WAITS_KERNEL;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_CYCLE);
}

/* If all wait for each other, one is woken by somebody who was not seen: a pool that rests. */
static void threads_that_wait_for_each_other_alone(void **state) {
  int32_t file = play_file(&scene, "f");

  (void)state;
  play_actor(&scene, 1, "resting", 'S', 0);
  play_lock(&scene, file, 1, SAFE_METHOD_OFD, SAFE_VIA_LOCKED);
  play_join(1, 1);
  play_join(1, 11);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_HELD);
  play_want(&scene, 1, SAFE_WAITS_CONTINUE)->thread = 0; /* what holds for all holds for these */
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_STUCK);
}

static void children(void **state) {
  (void)state;
  play_actor(&scene, 1, "parent", 'S', 0);
  play_other_want(&scene, 1, SAFE_WAITS_CHILD, 2);
  play_actor(&scene, 2, "child", 'R', 1);
  play_want(&scene, 2, SAFE_WAITS_NOT);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
  tells(about_process(1), "parent[1] waits for its child child[2] to end.\nchild[2] is running.\n");
  scene.wants[1].waits = SAFE_WAITS_KERNEL;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_STUCK);
  scene.actors[1].state = 'Z';
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_STUCK); /* another thread of it is in the kernel */
  scene.wants[1].waits = SAFE_WAITS_REAPING;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
  scene.actors[1].state = 'D';
  scene.actors[1].gone = true;
  scene.wants[1].waits = SAFE_WAITS_KERNEL;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
}

static void any_child(void **state) {
  (void)state;
  play_actor(&scene, 1, "parent", 'S', 0);
  play_other_want(&scene, 1, SAFE_WAITS_CHILD, SAFE__ANY_CHILD);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD); /* none: the call will say so */
  play_actor(&scene, 2, "one", 'T', 1);
  play_want(&scene, 2, SAFE_WAITS_CONTINUE);
  play_actor(&scene, 3, "other", 'T', 1);
  play_want(&scene, 3, SAFE_WAITS_CONTINUE);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_STUCK);
  tells(about_process(1), "parent[1] waits for one of its children, one[2] and other[3], to end.\n");
  scene.wants[2].waits = SAFE_WAITS_NOT;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
}

static void a_zombie(void **state) {
  (void)state;
  play_actor(&scene, 1, "parent", 'S', 0);
  play_want(&scene, 1, SAFE_WAITS_OTHER);
  play_actor(&scene, 2, "ended", 'Z', 1);
  play_other_want(&scene, 2, SAFE_WAITS_REAPING, 1);
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_HELD);
  tells(about_process(2), "ended[2] has ended and waits to be reaped by its parent parent[1].\n");
  scene.wants[0].waits = SAFE_WAITS_CONTINUE;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
}

static void the_ends_of_a_pipe(void **state) {
  int32_t pipe = play_pipe(&scene);

  (void)state;
  play_actor(&scene, 1, "reader", 'S', 0);
  play_object_want(&scene, 1, SAFE_WAITS_INPUT, pipe)->handle = 0;
  play_holder(&scene, pipe, 1, SAFE__END_READS);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD); /* the end of the input */
  play_holder(&scene, pipe, 1, SAFE__END_WRITES);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_STUCK);
  tells(about_process(1), "reader[1] waits for input on a pipe (descriptor 0) whose only writer is itself: it has the "
                          "other end itself.\n");
  play_actor(&scene, 2, "writer", 'R', 0);
  play_want(&scene, 2, SAFE_WAITS_NOT);
  play_holder(&scene, pipe, 2, SAFE__END_WRITES);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
  scene.wants[1].waits = SAFE_WAITS_CONTINUE;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_STUCK);
  scene.objects[pipe].examined = false;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
}

/* Whom his own handlers, or whoever opens a FIFO, may wake. */
static void a_pipe_to_oneself(void **state) {
  int32_t pipe = play_pipe(&scene);
  struct safe__want *want;

  (void)state;
  play_actor(&scene, 1, "server", 'S', 0);
  want = play_object_want(&scene, 1, SAFE_WAITS_INPUT, pipe);
  play_holder(&scene, pipe, 1, SAFE__END_READS);
  play_holder(&scene, pipe, 1, SAFE__END_WRITES);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_STUCK);
  want->handles = true;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
  want->handles = false;
  strcpy(scene.objects[pipe].name, "/run/orders");
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
}

static void one_that_may_have_set_a_timer(void **state) {
  int32_t file = play_file(&scene, "/f");
  struct safe__want *want;

  (void)state;
  play_actor(&scene, 1, "holder", 'T', 0);
  play_want(&scene, 1, SAFE_WAITS_CONTINUE);
  play_lock(&scene, file, 1, SAFE_METHOD_FLOCK, SAFE_VIA_LOCKED);
  play_actor(&scene, 2, "waiter", 'S', 0);
  want = play_lock_want(&scene, 2, file, SAFE_METHOD_FLOCK);
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
  tells_not(about_process(2), "maybe");
  want->alarmed = true;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_HELD);
  tells(about_process(2), ", which holder[1] holds, maybe for a limited time: it handles the signal of a timer.\n");
  scene.wants[0].waits = SAFE_WAITS_KERNEL;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_STUCK);
  scene.wants[0].brief = true;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
}

static void the_same_twice(void **state) {
  (void)state;
  play_actor(&scene, 1, "server", 'S', 0);
  strcpy(play_want(&scene, 1, SAFE_WAITS_OTHER)->what, "a socket");
  strcpy(play_want(&scene, 1, SAFE_WAITS_OTHER)->what, "a socket");
  tells(about_process(1), "server[1] waits for a socket.\n");
}

static void a_full_pipe(void **state) {
  int32_t pipe = play_pipe(&scene);

  (void)state;
  play_actor(&scene, 1, "writer", 'S', 0);
  play_object_want(&scene, 1, SAFE_WAITS_ROOM, pipe)->handle = 1;
  play_holder(&scene, pipe, 1, SAFE__END_WRITES);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD); /* SIGPIPE */
  play_actor(&scene, 2, "reader", 'T', 0);
  play_want(&scene, 2, SAFE_WAITS_CONTINUE);
  play_holder(&scene, pipe, 2, SAFE__END_READS);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_STUCK);
  tells(about_process(1), "writer[1] waits for room in a pipe that is full (descriptor 1) whose only reader is "
                          "reader[2].\nreader[2] is stopped by a signal.\n");
  scene.wants[1].waits = SAFE_WAITS_NOT;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
}

/* ---- Locks. */

static void a_file_nobody_holds(void **state) {
  int32_t file = play_file(&scene, "/f");

  (void)state;
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_FREE);
  tells(about_file(file), "/f is not locked.\n");
  safe__scene_unknown(&scene, "The descriptors of %d processes may not be read by this user.", 3);
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_UNKNOWN);
  tells(about_file(file), "Nobody that can be seen has /f locked.\n"
                          "Unknown: because the descriptors of 3 processes may not be read by this user.\n");
}

static void a_file_that_is_only_open(void **state) {
  int32_t file = play_file(&scene, "/f");

  (void)state;
  play_actor(&scene, 1, "one", 'T', 0);
  play_want(&scene, 1, SAFE_WAITS_CONTINUE);
  play_holder(&scene, file, 1, SAFE_HOLDER_OPENS);
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_UNKNOWN);
  tells(about_file(file), "/f is open in one[1]; whether they have it locked, the system does not tell.\n");
  play_actor(&scene, 2, "waiter", 'S', 0);
  play_lock_want(&scene, 2, file, SAFE_METHOD_FLOCK);
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
  play_actor(&scene, 3, "other", 'R', 0);
  play_want(&scene, 3, SAFE_WAITS_NOT);
  play_holder(&scene, file, 3, SAFE_HOLDER_OPENS);
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_HELD);
}

static void who_holds_is_not_seen(void **state) {
  int32_t file = play_file(&scene, "/f");

  (void)state;
  play_actor(&scene, 1, "waiter", 'S', 0);
  play_lock_want(&scene, 1, file, SAFE_METHOD_FLOCK);
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_UNKNOWN);
  tells(about_file(file), "Nobody that can be seen has /f locked.\nwaiter[1] waits for it.\n");
}

static void methods(void **state) {
  static const int32_t all[] = {SAFE_METHOD_FLOCK, SAFE_METHOD_OFD, SAFE_METHOD_POSIX, -1};
  static const bool meet[4][4] = {
    {true, false, false, true}, {false, true, true, true}, {false, true, true, true}, {true, true, true, true}};
  int32_t file = play_file(&scene, "/f");
  safe_holder *holder;
  int held, asked;

  (void)state;
  play_actor(&scene, 1, "holder", 'T', 0);
  play_want(&scene, 1, SAFE_WAITS_CONTINUE);
  play_lock(&scene, file, 1, -1, SAFE_VIA_LOCKED);
  play_actor(&scene, 2, "waiter", 'S', 0);
  play_lock_want(&scene, 2, file, -1);
  holder = &scene.objects[file].holders.items[0];
  for (held = 0; held < 4; held++)
    for (asked = 0; asked < 4; asked++) {
      holder->method = all[held];
      scene.wants[1].method = all[asked];
      assert_int_equal(verdict(about_process(2)), meet[held][asked] ? SAFE_VERDICT_STUCK : SAFE_VERDICT_HELD);
    }
}

static void modes_and_ranges(void **state) {
  int32_t file = play_file(&scene, "/f");
  safe_holder *holder, *waiter;

  (void)state;
  play_actor(&scene, 1, "holder", 'T', 0);
  play_want(&scene, 1, SAFE_WAITS_CONTINUE);
  play_lock(&scene, file, 1, SAFE_METHOD_OFD, SAFE_VIA_LOCKED);
  play_actor(&scene, 2, "waiter", 'S', 0);
  play_lock_want(&scene, 2, file, SAFE_METHOD_OFD);
  holder = &scene.objects[file].holders.items[0];
  waiter = &scene.objects[file].holders.items[1];
  holder->mode = scene.wants[1].mode = SAFE_LOCK_SHARED;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_HELD);
  holder->mode = -1;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
  holder->offset = 10;
  holder->length = 10;
  waiter->length = 10;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_HELD);
  waiter->length = 11;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
  waiter->offset = 20;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_HELD);
  waiter->offset = 19;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
  holder->length = 0; /* to the end of the file */
  waiter->offset = 1000;
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_STUCK);
}

static void a_shared_description(void **state) {
  int32_t file = play_file(&scene, "/f");

  (void)state;
  play_actor(&scene, 1, "locker", 'R', 0);
  play_want(&scene, 1, SAFE_WAITS_NOT);
  play_lock(&scene, file, 1, SAFE_METHOD_FLOCK, SAFE_VIA_LOCKED);
  play_actor(&scene, 2, "heir", 'T', 1);
  play_want(&scene, 2, SAFE_WAITS_CONTINUE);
  play_lock(&scene, file, 2, SAFE_METHOD_FLOCK, SAFE_VIA_INHERITED)->handle = 7;
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_HELD); /* the locker will unlock it */
  tells(about_file(file), "/f is locked (exclusive, flock) through an open file shared by 2 processes: locker[1] and "
                          "heir[2] (inherited it as descriptor 7, is stopped).\n");
  scene.wants[0].waits = SAFE_WAITS_CONTINUE;
  scene.wants[1].waits = SAFE_WAITS_NOT;
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_STUCK); /* the heir does not know of it */
  scene.actors[0].gone = true;
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_HELD); /* but it will end */
  scene.wants[1].waits = SAFE_WAITS_CONTINUE;
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_STUCK);
}

static void the_last_heir(void **state) {
  int32_t file = play_file(&scene, "/f");

  (void)state;
  play_actor(&scene, 2, "heir", 'S', 1);
  play_want(&scene, 2, SAFE_WAITS_OTHER);
  play_lock(&scene, file, 2, SAFE_METHOD_OFD, SAFE_VIA_INHERITED)->handle = 7;
  play_actor(&scene, 3, "stopped", 'T', 1);
  play_want(&scene, 3, SAFE_WAITS_CONTINUE);
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_HELD);
  tells(about_file(file), "/f is locked (exclusive, OFD) by heir[2], which inherited it as descriptor 7.\n"
                          "The process that took the lock has ended.\n");
  play_lock(&scene, file, 3, SAFE_METHOD_OFD, SAFE_VIA_INHERITED)->handle = 7;
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_STUCK); /* all have to end */
}

static void shared_locks(void **state) {
  int32_t file = play_file(&scene, "/f");

  (void)state;
  play_actor(&scene, 1, "reader", 'R', 0);
  play_want(&scene, 1, SAFE_WAITS_NOT);
  play_lock(&scene, file, 1, SAFE_METHOD_OFD, SAFE_VIA_LOCKED)->mode = SAFE_LOCK_SHARED;
  play_actor(&scene, 2, "stopped", 'T', 0);
  play_want(&scene, 2, SAFE_WAITS_CONTINUE);
  play_lock(&scene, file, 2, SAFE_METHOD_OFD, SAFE_VIA_LOCKED)->mode = SAFE_LOCK_SHARED;
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_STUCK); /* each has its own */
  tells(about_file(file), "/f is locked (shared, OFD) by 2 processes: reader[1] and stopped[2] (is stopped).\n");
  scene.objects[file].holders.items[1].via = SAFE_VIA_INHERITED;
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_STUCK); /* from whom is not known */
  scene.actors[1].parent = 1;
  assert_int_equal(verdict(about_file(file)), SAFE_VERDICT_HELD); /* from the reader, which will unlock it */
}

static void nobody_waits_for_himself(void **state) {
  int32_t file = play_file(&scene, "/f");
  struct safe__want *want;

  (void)state;
  play_actor(&scene, 1, "converts", 'S', 0);
  play_lock(&scene, file, 1, SAFE_METHOD_FLOCK, SAFE_VIA_LOCKED)->handle = 3;
  want = play_lock_want(&scene, 1, file, SAFE_METHOD_FLOCK);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
  want->handle = 3;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
  want->handle = 4; /* another open file, and so another lock */
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_STUCK);
  tells(about_process(1), "converts[1] waits for a lock on /f, which it holds itself through another open file.\n");
}

/* ---- Circles, and the story. */

static void two_locks(void **state) {
  int32_t one = play_file(&scene, "/one"), other = play_file(&scene, "/other");

  (void)state;
  play_actor(&scene, 1, "a", 'S', 0);
  play_lock(&scene, one, 1, SAFE_METHOD_OFD, SAFE_VIA_LOCKED);
  play_lock_want(&scene, 1, other, SAFE_METHOD_OFD);
  play_actor(&scene, 2, "b", 'S', 0);
  play_lock(&scene, other, 2, SAFE_METHOD_OFD, SAFE_VIA_LOCKED);
  assert_int_equal(verdict(about_file(one)), SAFE_VERDICT_HELD); /* b is free to go */
  play_lock_want(&scene, 2, one, SAFE_METHOD_OFD);
  assert_int_equal(verdict(about_file(one)), SAFE_VERDICT_CYCLE);
  assert_int_equal(verdict(about_process(2)), SAFE_VERDICT_CYCLE);
  tells(about_file(one), "/one is locked (exclusive, OFD) by a[1].\nb[2] waits for it.\n"
                         "a[1] waits for a lock on /other, which b[2] holds; b[2] waits for a lock on /one, which a[1] "
                         "holds: nobody can go on.\nEnding b[2] would let the others go on.\n");
}

static void play_the_story(void) {
  int32_t file = play_file(&scene, "sess_x"), pipe = play_pipe(&scene);
  int64_t now = (int64_t)time(NULL) * 1000;
  struct safe__want *want;

  play_actor(&scene, 101, "php-fpm", 'S', 0);
  play_lock(&scene, file, 101, SAFE_METHOD_FLOCK, SAFE_VIA_LOCKED)->since_ms = now - 14000;
  play_actor(&scene, 117, "rrdtool", 'S', 101);
  play_lock(&scene, file, 117, SAFE_METHOD_FLOCK, SAFE_VIA_INHERITED)->handle = 7;
  play_actor(&scene, 130, "php-fpm", 'S', 0);
  want = play_lock_want(&scene, 130, file, SAFE_METHOD_FLOCK);
  want->since_ms = now - 9000;
  scene.objects[file].holders.items[2].since_ms = now - 9000;
  play_other_want(&scene, 101, SAFE_WAITS_CHILD, 117);
  play_object_want(&scene, 117, SAFE_WAITS_INPUT, pipe)->handle = 0;
  play_holder(&scene, pipe, 101, SAFE__END_WRITES);
  play_holder(&scene, pipe, 117, SAFE__END_READS);
}

/* A second may pass while it is told. */
static void assert_story(struct safe__question question, const char *expected) {
  char *all = text(question), *at;

  while ((at = strstr(all, "15 s")) != NULL) at[1] = '4';
  while ((at = strstr(all, "10 s")) != NULL) memmove(at, "9 s", 3), memmove(at + 3, at + 4, strlen(at + 4) + 1);
  assert_string_equal(all, expected);
  safe__free(all);
}

static void the_story(void **state) {
  static const char circle[] =
    "php-fpm[101] waits for its child rrdtool[117] to end; rrdtool[117] waits for input on a pipe (descriptor 0) whose "
    "only writer is php-fpm[101]: nobody can go on.\n";
  char expected[2048];

  (void)state;
  play_the_story();
  assert_int_equal(verdict(about_file(0)), SAFE_VERDICT_CYCLE);
  snprintf(expected, sizeof(expected),
           "sess_x is locked (exclusive, flock) through an open file shared by 2 processes: php-fpm[101] (took it 14 s "
           "ago) and rrdtool[117] (inherited it as descriptor 7).\n"
           "php-fpm[130] has waited for it for 9 s.\n%sEnding rrdtool[117] would let the others go on.\n",
           circle);
  assert_story(about_file(0), expected);
  assert_int_equal(verdict(about_process(130)), SAFE_VERDICT_CYCLE);
  tells(about_process(130), circle);
  tells(about_process(130), "Ending rrdtool[117] would let php-fpm[130] go on.\n");
}

static void the_circle_as_links(void **state) {
  struct safe__question question = about_file(0);
  struct safe__judgement judgement;

  (void)state;
  play_the_story();
  assert_true(safe__judge(&scene, &question, 0, &judgement));
  assert_int_equal(judgement.cycle_count, 2);
  assert_int_equal(scene.wants[judgement.cycle[0]].pid, 101);
  assert_int_equal(scene.wants[judgement.cycle[1]].pid, 117);
  safe__judgement_free(&judgement);
}

static void a_long_queue(void **state) {
  int32_t file = play_file(&scene, "/f");
  int64_t pid;

  (void)state;
  play_actor(&scene, 1, "holder", 'R', 0);
  play_want(&scene, 1, SAFE_WAITS_NOT);
  play_lock(&scene, file, 1, SAFE_METHOD_FLOCK, SAFE_VIA_LOCKED);
  for (pid = 2; pid < 22; pid++) {
    play_actor(&scene, pid, "waiter", 'S', 0);
    play_lock_want(&scene, pid, file, SAFE_METHOD_FLOCK);
  }
  tells(about_file(file),
        "20 processes wait for it: waiter[2], waiter[3], waiter[4], waiter[5], waiter[6] and 15 more.\n");
}

/* A circle that only the system saw: two threads of one process, say. */
static void a_circle_the_system_tells_of(void **state) {
  (void)state;
  play_actor(&scene, 1, "app", 'S', 0);
  play_other_want(&scene, 1, SAFE_WAITS_OTHER, 1);
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_HELD);
  scene.wants[0].circle = true;
  assert_int_equal(verdict(about_process(1)), SAFE_VERDICT_CYCLE);
}

static void names_are_made_printable(void **state) {
  int32_t file = play_file(&scene, "/a\nb\033[2J\xc2\x9b\xff\xc3\xa9");

  (void)state;
  play_actor(&scene, 1, "evil\r", 'R', 0);
  play_want(&scene, 1, SAFE_WAITS_NOT);
  play_lock(&scene, file, 1, SAFE_METHOD_FLOCK, SAFE_VIA_LOCKED);
  tells(about_file(file), "/a?b?[2J???\xc3\xa9 is locked (exclusive, flock) by evil?[1].\n");
}

/* ---- The public call. */

static void arguments(void **state) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_explanation *why = (safe_explanation *)&error;

  (void)state;
  assert_code(safe_explain(NULL, &why, &error), SAFE_EINVAL);
  assert_null(why);
  assert_code(safe_explain(&options, &why, &error), SAFE_EINVAL);
  options.path = "x";
  options.pid = 1;
  assert_code(safe_explain(&options, &why, &error), SAFE_EINVAL);
  options.pid = 0;
  assert_code(safe_explain(&options, NULL, &error), SAFE_EINVAL);
  options.path = "";
  assert_code(safe_explain(&options, &why, &error), SAFE_EINVAL);
  options.path = NULL;
  options.pid = -1;
  assert_code(safe_explain(&options, &why, &error), SAFE_EINVAL);
  options.pid = 1;
  options.timeout_ms = SAFE_FOREVER;
  assert_code(safe_explain(&options, &why, &error), SAFE_EINVAL);
  options.timeout_ms = 1000;
  options.flags = 1;
  assert_code(safe_explain(&options, &why, &error), SAFE_EINVAL);
  options.flags = 0;
  options.size = 0;
  assert_code(safe_explain(&options, &why, &error), SAFE_EINVAL);
  assert_null(why);
}

static void no_explanation(void **state) {
  (void)state;
  assert_int_equal(safe_explanation_verdict(NULL), SAFE_VERDICT_UNKNOWN);
  assert_string_equal(safe_explanation_text(NULL), "");
  assert_int_equal(safe_holder_list_count(safe_explanation_holders(NULL)), 0);
  assert_null(safe_explanation_file(NULL));
  assert_int_equal(safe_explanation_link_count(NULL), 0);
  assert_null(safe_explanation_link(NULL, 0));
  assert_int_equal(safe_explanation_unknown_count(NULL), 0);
  assert_null(safe_explanation_unknown(NULL, 0));
  safe_explanation_free(NULL);
}

#define PLAYED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    PLAYED(a_process_alone),
    PLAYED(a_wait_that_ends_by_itself),
    PLAYED(threads_and_alternatives),
    PLAYED(a_thread_that_waits_for_the_others),
    PLAYED(threads_that_wait_for_each_other_alone),
    PLAYED(children),
    PLAYED(any_child),
    PLAYED(a_zombie),
    PLAYED(the_ends_of_a_pipe),
    PLAYED(a_pipe_to_oneself),
    PLAYED(one_that_may_have_set_a_timer),
    PLAYED(the_same_twice),
    PLAYED(a_full_pipe),
    PLAYED(a_file_nobody_holds),
    PLAYED(a_file_that_is_only_open),
    PLAYED(who_holds_is_not_seen),
    PLAYED(methods),
    PLAYED(modes_and_ranges),
    PLAYED(a_shared_description),
    PLAYED(the_last_heir),
    PLAYED(shared_locks),
    PLAYED(nobody_waits_for_himself),
    PLAYED(two_locks),
    PLAYED(the_story),
    PLAYED(the_circle_as_links),
    PLAYED(a_long_queue),
    PLAYED(a_circle_the_system_tells_of),
    PLAYED(names_are_made_printable),
    cmocka_unit_test(arguments),
    cmocka_unit_test(no_explanation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
