/* SPDX-License-Identifier: MIT */
/* Who belongs to a child's tree on FreeBSD and macOS (src/unix/bsd/members.c), in a table of processes that is made up
   here. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../src/unix/bsd/process_start.h"
#include "../src/unix/bsd/tree.h"
#include "support.h"

/* ---- The system: pid, start, parent, group, session, zombie. */

#define CHILD 100

static struct safe__member table[16];
static size_t table_count;

static void has(int64_t pid, int64_t parent, int64_t group, int64_t session) {
  const struct safe__member member = {pid, (uint64_t)pid * 1000, parent, group, session, false, false};

  table[table_count++] = member;
}

static struct safe__member *at(int64_t pid) {
  size_t place;

  for (place = 0; place < table_count; place++)
    if (table[place].pid == pid) return &table[place];
  fail_msg("there is no process %d", (int)pid);
  return NULL;
}

static void ends(int64_t pid) {
  size_t place;

  for (place = 0; place < table_count; place++)
    if (table[place].parent == pid) table[place].parent = 1;
  *at(pid) = table[--table_count];
}

bool safe__members_all(struct safe__members *all, bool sessions) {
  size_t place;

  all->items = safe__alloc((table_count + 1) * sizeof(*all->items));
  assert_non_null(all->items);
  for (place = 0; place < table_count; place++) {
    all->items[place] = table[place];
    if (!sessions) all->items[place].session = -1;
  }
  all->count = table_count;
  return true;
}

static int64_t real_start = -1; /* of the one process that is really there */

bool safe__process_start(int64_t pid, uint64_t *start) {
  (void)pid;
  *start = (uint64_t)real_start;
  return real_start >= 0;
}

/* ---- The child, which leads its group, and its tree. */

struct fixture {
  struct safe__child child;
  struct safe__tree tree;
};

/* The order is not that of the ages: 103 descends from 102, and 102 from 101. */
static int set_up(void **state) {
  static struct fixture fixture;

  memset(&fixture, 0, sizeof(fixture));
  fixture.child.pid = CHILD;
  fixture.child.tree = &fixture.tree;
  table_count = 0;
  has(1, 0, 1, 1);
  has(50, 1, 50, 50);
  has(103, 102, 103, 103);
  has(102, 101, 102, 50);
  has(101, CHILD, CHILD, 50);
  has(CHILD, 50, CHILD, 50);
  has(60, 50, 60, 50);
  has(61, 60, 60, 50);
  *state = &fixture;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *fixture = *state;

  safe__free(fixture->tree.seen.items);
  return 0;
}

/* The numbers, in order, with a space behind each. */
static void expect(struct fixture *fixture, const char *expected) {
  struct safe__members found;
  char text[200] = "";
  size_t place;

  assert_true(safe__members_find(&fixture->child, &found));
  for (place = 0; place < found.count; place++)
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d ", (int)found.items[place].pid);
  assert_string_equal(text, expected);
  safe__free(found.items);
}

static void descendants_are_found_wherever_they_went(void **state) { expect(*state, "100 101 102 103 "); }

static void a_group_is_a_group_and_no_more(void **state) {
  struct fixture *fixture = *state;

  fixture->child.keeping = SAFE_TREE_GROUP;
  expect(fixture, "100 101 ");
}

static void in_the_hosts_group_there_is_the_child_alone(void **state) {
  struct fixture *fixture = *state;

  fixture->child.group = SAFE_GROUP_HOST;
  at(CHILD)->group = 50;
  expect(fixture, "100 ");
}

static void a_session_has_groups(void **state) {
  struct fixture *fixture = *state;

  fixture->child.group = SAFE_GROUP_SESSION;
  fixture->child.keeping = SAFE_TREE_GROUP;
  at(CHILD)->session = at(101)->session = at(102)->session = CHILD;
  ends(101);
  expect(fixture, "100 102 ");
}

static void who_was_seen_is_known_again(void **state) {
  struct fixture *fixture = *state;

  expect(fixture, "100 101 102 103 ");
  ends(102);
  ends(CHILD);
  expect(fixture, "101 103 ");
  ends(101);
  expect(fixture, "103 ");
  has(104, 103, 104, 104);
  expect(fixture, "103 104 ");
}

static void who_was_not_seen_in_time_is_lost(void **state) {
  ends(102);
  expect(*state, "100 101 ");
}

static void a_number_that_was_given_away_is_a_stranger(void **state) {
  struct fixture *fixture = *state;

  expect(fixture, "100 101 102 103 ");
  ends(103);
  ends(102);
  has(103, 60, 60, 50);
  at(103)->start++;
  expect(fixture, "100 101 ");
}

static void zombies_are_not_left_but_have_children(void **state) {
  at(102)->zombie = true;
  expect(*state, "100 101 103 ");
}

/* The child's number may be anybody's by then, and the group's too. */
static void a_stolen_child_has_no_number(void **state) {
  struct fixture *fixture = *state;

  expect(fixture, "100 101 102 103 ");
  fixture->child.stolen = true;
  at(CHILD)->start++;
  has(105, CHILD, CHILD, 50);
  expect(fixture, "101 102 103 ");
}

static void a_signal_reaches_the_one_that_was_seen(void **state) {
  struct safe__member member = {0};
  pid_t pid = fork();
  int status;

  (void)state;
  if (pid == 0) {
    pause();
    _exit(0);
  }
  assert_true(pid > 0);
  member.pid = pid;
  member.start = 7;
  real_start = 8; /* another process by now */
  safe__member_signal(&member, SIGKILL);
  real_start = -1; /* none */
  safe__member_signal(&member, SIGKILL);
  sleep_ms(20);
  assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
  real_start = 7;
  safe__member_signal(&member, SIGKILL);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFSIGNALED(status));
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(descendants_are_found_wherever_they_went, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_group_is_a_group_and_no_more, set_up, tear_down),
    cmocka_unit_test_setup_teardown(in_the_hosts_group_there_is_the_child_alone, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_session_has_groups, set_up, tear_down),
    cmocka_unit_test_setup_teardown(who_was_seen_is_known_again, set_up, tear_down),
    cmocka_unit_test_setup_teardown(who_was_not_seen_in_time_is_lost, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_number_that_was_given_away_is_a_stranger, set_up, tear_down),
    cmocka_unit_test_setup_teardown(zombies_are_not_left_but_have_children, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_stolen_child_has_no_number, set_up, tear_down),
    cmocka_unit_test(a_signal_reaches_the_one_that_was_seen),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
