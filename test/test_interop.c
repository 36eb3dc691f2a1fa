/* SPDX-License-Identifier: MIT */
/*
 * Who else sees our locks, proved with the other programs themselves: the table below is what the documentation says,
 * and each cell of it is tried in both directions, with shared and exclusive locks. What was found is printed as the
 * table that the documentation shows.
 *
 * The other parties are the scripts in interop/. Each says "ready: VERSION" or "missing: WHY", and is then asked on its
 * stdin, a line at a time:
 *
 *   try x | try s   takes the lock, exclusive or shared, without waiting: "held" or "busy"
 *   drop            gives it back: "dropped"
 */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "support.h"

#define START_MS 60000 /* a Java machine on a busy computer */
#define ANSWER_MS 10000

enum { OFD, FLOCK, BOTH, POSIX, METHODS };
static const int methods[METHODS] = {SAFE_METHOD_OFD, SAFE_METHOD_FLOCK, SAFE_METHOD_BOTH, SAFE_METHOD_POSIX};
static const char *const method_names[METHODS] = {"OFD", "FLOCK", "BOTH", "POSIX"};

enum sight { NOT_TRIED = 0, APART, EXCLUDES, MIXED };
static const char *const sight_names[] = {"?", "-", "excludes", "MIXED"};

struct party {
  const char *name; /* as the table shows it */
  const char *program, *script, *word;
  const char *path;
  bool exclusive_only;
  enum sight expected[METHODS];

  enum sight found[METHODS];
  char version[64];
  safe_process *process;
  int to, from; /* our ends of its stdin and stdout */
};

/* What the kernel calls an flock, and what it calls a record lock, of a process or of an open file. */
#define SEES_FLOCK .expected = {APART, EXCLUDES, EXCLUDES, APART}
#define SEES_RECORDS .expected = {EXCLUDES, APART, EXCLUDES, EXCLUDES}

static struct party parties[] = {
  {"flock(1)", "sh", "partner.sh", "", "file", false, SEES_FLOCK},
  {"flock(1) --fcntl", "sh", "partner.sh", "--fcntl", "file", false, SEES_RECORDS},
  {"PHP flock()", "php", "partner.php", NULL, "file", false, SEES_FLOCK},
  {"Python fcntl.flock", "python3", "partner.py", "flock", "file", false, SEES_FLOCK},
  {"Python fcntl.lockf", "python3", "partner.py", "lockf", "file", false, SEES_RECORDS},
  {"Ruby File#flock", "ruby", "partner.rb", NULL, "file", false, SEES_FLOCK},
  {"lockf(3)", "python3", "partner.py", "lockf3", "file", true, SEES_RECORDS},
  {"fcntl(F_SETLK)", "python3", "partner.py", "setlk", "file", false, SEES_RECORDS},
  {"fcntl(F_OFD_SETLK)", "python3", "partner.py", "ofd", "file", false, SEES_RECORDS},
  {"SQLite transaction", "python3", "partner.py", "sqlite", "database", false, SEES_RECORDS},
  {"Java FileChannel.lock", "java", "Partner.java", NULL, "file", false, SEES_RECORDS},
};
#define PARTIES (sizeof(parties) / sizeof(parties[0]))

/* ---- The other party. */

/* Without what follows the first newline. */
static void read_line(struct party *party, char *line, size_t size, int64_t timeout_ms) {
  struct pollfd ready = {party->from, POLLIN, 0};
  int64_t deadline = now_ms() + timeout_ms;
  size_t length = 0;
  ssize_t moved;

  for (;;) {
    if (poll(&ready, 1, (int)(deadline - now_ms() > 0 ? deadline - now_ms() : 0)) == 0)
      fail_msg("%s does not answer", party->name);
    moved = read(party->from, line + length, 1);
    if (moved == 0) fail_msg("%s has ended", party->name);
    if (moved < 0) continue;
    if (line[length] == '\n') break;
    if (length < size - 1) length++;
  }
  line[length] = '\0';
}

/* Whether the answer is yes; any other than yes and no fails the test. */
static bool ask(struct party *party, const char *question, const char *yes, const char *no) {
  char line[128];

  assert_int_equal(write(party->to, question, strlen(question)), strlen(question));
  read_line(party, line, sizeof(line), ANSWER_MS * slowness());
  if (strcmp(line, yes) == 0) return true;
  if (no == NULL || strcmp(line, no) != 0) fail_msg("%s says \"%s\"", party->name, line);
  return false;
}

static bool they_take(struct party *party, int mode) {
  return ask(party, mode == SAFE_LOCK_SHARED ? "try s\n" : "try x\n", "held", "busy");
}

static void they_drop(struct party *party) { ask(party, "drop\n", "dropped", NULL); }

/* The distribution's program before what a version manager has put on PATH, which is a script around another. */
static const char *program_of(const struct party *party, char *buffer, size_t size) {
  snprintf(buffer, size, "/usr/bin/%s", party->program);
  return access(buffer, X_OK) == 0 ? buffer : party->program;
}

static void start(struct party *party) {
  char program[64], script[1024];
  const char *argv[6] = {party->program, script, party->path};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;

  if (party->word != NULL) argv[2] = party->word, argv[3] = party->path;
  snprintf(script, sizeof(script), "%s/%s", SAFEHOLD_TEST_INTEROP, party->script);
  options.file = program_of(party, program, sizeof(program));
  options.argv = argv;
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  options.timeout_ms = START_MS;
  party->from = party->to = -1;
  if (safe_spawn(&party->process, &options, NULL) != SAFE_OK) return;
  party->to = safe_process_take_pipe(party->process, 0);
  party->from = safe_process_take_pipe(party->process, 1);
}

static void end(struct party *party) {
  if (party->process == NULL) return;
  close(party->to);
  close(party->from);
  end_helper(party->process);
  party->process = NULL;
}

/* All at once: while the one is tried, the next one is still loading itself. */
static int start_all(void **state) {
  size_t at;

  (void)state;
  make_file("file", "");
  for (at = 0; at < PARTIES; at++) start(&parties[at]);
  return 0;
}

static int end_all(void **state) {
  size_t at;

  (void)state;
  for (at = 0; at < PARTIES; at++) end(&parties[at]);
  return 0;
}

static void need(struct party *party) {
  char line[128];

  snprintf(line, sizeof(line), "missing: no program %s", party->program);
  if (party->process != NULL) read_line(party, line, sizeof(line), START_MS * slowness());
  if (strncmp(line, "ready: ", 7) == 0) {
    snprintf(party->version, sizeof(party->version), "%.60s", line + 7);
    return;
  }
  print_message("%s is skipped: %s\n", party->name, line);
  skip();
}

/* ---- A cell of the table. */

struct trial {
  int method, ours, theirs; /* modes */
  int file;                 /* for safe_lock_handle, or -1 for safe_lock_file */
};

static safe_lock_options options_of(const struct trial *trial) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.method = methods[trial->method];
  options.mode = trial->ours;
  options.timeout_ms = SAFE_NO_WAIT;
  return options;
}

static int we_take(struct party *party, const struct trial *trial, safe_lock **lock) {
  safe_lock_options options = options_of(trial);
  int code;

  if (trial->file >= 0)
    code = safe_lock_handle(lock, trial->file, &options, NULL);
  else
    code = safe_lock_file(lock, party->path, &options, NULL);
  if (code != SAFE_EBUSY) assert_code(code, SAFE_OK);
  return code;
}

static bool theirs_keeps_ours_out(struct party *party, const struct trial *trial) {
  safe_lock *lock;
  bool busy;

  assert_true(they_take(party, trial->theirs));
  busy = we_take(party, trial, &lock) == SAFE_EBUSY;
  if (!busy) assert_code(safe_unlock(lock), SAFE_OK);
  they_drop(party);
  return busy;
}

static bool ours_keeps_theirs_out(struct party *party, const struct trial *trial) {
  safe_lock *lock;
  bool busy;

  assert_code(we_take(party, trial, &lock), SAFE_OK);
  busy = !they_take(party, trial->theirs);
  if (!busy) they_drop(party);
  assert_code(safe_unlock(lock), SAFE_OK);
  return busy;
}

/* The four of a pair of modes; readers never exclude each other. */
static enum sight try_modes(struct party *party, const struct trial *trial) {
  bool readers = trial->ours == SAFE_LOCK_SHARED && trial->theirs == SAFE_LOCK_SHARED;
  int busy = theirs_keeps_ours_out(party, trial) + ours_keeps_theirs_out(party, trial);

  if (readers) return busy == 0 ? NOT_TRIED : MIXED;
  return busy == 0 ? APART : busy == 2 ? EXCLUDES : MIXED;
}

static enum sight try_cell(struct party *party, int method) {
  static const char *const mode_names[] = {"exclusive", "shared"};
  int file = open(party->path, O_RDWR | O_CLOEXEC), which;
  struct trial trial = {method, 0, 0, -1};
  enum sight one, all = NOT_TRIED;

  assert_true(file >= 0);
  for (which = 0; which < 8; which++) {
    trial.ours = which & 1;
    trial.theirs = which >> 1 & 1;
    trial.file = (which & 4) != 0 ? file : -1;
    if (party->exclusive_only && trial.theirs == SAFE_LOCK_SHARED) continue;
    one = try_modes(party, &trial);
    if (one != NOT_TRIED && one != party->expected[method])
      print_message("%s: theirs %s, ours %s by %s with %s: %s\n", party->name, mode_names[trial.theirs],
                    mode_names[trial.ours], method_names[method],
                    trial.file >= 0 ? "safe_lock_handle" : "safe_lock_file", sight_names[one]);
    if (one != NOT_TRIED) all = all == NOT_TRIED || all == one ? one : MIXED;
  }
  close(file);
  return all;
}

/* ---- Waits. */

/* A wait for their lock is granted as soon as they give it back. */
static void wait_is_granted(struct party *party, int method) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_lock_wait *wait;
  safe_lock *lock;

  options.method = methods[method];
  options.timeout_ms = 60000;
  assert_true(they_take(party, SAFE_LOCK_EXCLUSIVE));
  assert_code(safe_lock_begin(&wait, party->path, &options, &error), SAFE_OK);
  assert_code(safe_lock_wait_poll(wait), SAFE_EAGAIN);
  they_drop(party);
  assert_code(safe_lock_finish(wait, &lock, &error), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
}

/* Never a wrong name; none when there was not time enough, and then with more of it. */
static void holder_is_named(struct party *party, int method, int64_t timeout_ms, int expected) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  int factor;

  options.method = methods[method];
  assert_true(they_take(party, SAFE_LOCK_EXCLUSIVE));
  for (factor = 1; factor <= 8 && error.holder_pid == 0; factor *= 2) {
    options.timeout_ms = timeout_ms * factor;
    options.holder_query_ms = (unsigned)(100 * factor * slowness());
    assert_code(safe_lock_file(&lock, party->path, &options, &error), expected);
  }
  they_drop(party);
  if (error.holder_pid != safe_process_pid(party->process))
    fail_msg("%s is %d, but by %s: %s", party->name, (int)safe_process_pid(party->process), method_names[method],
             error.message);
}

/* ---- The tests: one for each party, and then the table. */

static void both_directions(void **state) {
  struct party *party = *state;
  int method, wrong = 0;
  bool timed = false;

  need(party);
  for (method = 0; method < METHODS; method++) {
    party->found[method] = try_cell(party, method);
    wrong += party->found[method] != party->expected[method];
    if (party->found[method] != EXCLUDES) continue;
    wait_is_granted(party, method);
    holder_is_named(party, method, SAFE_NO_WAIT, SAFE_EBUSY);
    if (!timed) holder_is_named(party, method, 200, SAFE_ETIMEDOUT);
    timed = true;
  }
  for (method = 0; method < METHODS; method++)
    if (party->found[method] != party->expected[method])
      print_error("%s and ours by %s: expected \"%s\", found \"%s\"\n", party->name, method_names[method],
                  sight_names[party->expected[method]], sight_names[party->found[method]]);
  assert_int_equal(wrong, 0);
}

static void the_table_is_printed(void **state) {
  size_t at;

  (void)state;
  print_message("\n| other party | tried with | OFD | FLOCK | BOTH | POSIX |\n|---|---|---|---|---|---|\n");
  for (at = 0; at < PARTIES; at++) {
    const struct party *party = &parties[at];
    print_message("| %s | %s | %s | %s | %s | %s |\n", party->name, party->version[0] != '\0' ? party->version : "?",
                  sight_names[party->found[OFD]], sight_names[party->found[FLOCK]], sight_names[party->found[BOTH]],
                  sight_names[party->found[POSIX]]);
  }
  print_message("\n");
}

int main(void) {
  struct CMUnitTest tests[PARTIES + 1];
  size_t at;

  for (at = 0; at < PARTIES; at++)
    tests[at] = (struct CMUnitTest){parties[at].name, both_directions, NULL, NULL, &parties[at]};
  tests[PARTIES] = (struct CMUnitTest)cmocka_unit_test(the_table_is_printed);
  return cmocka_run_group_tests(tests, start_all, end_all);
}
