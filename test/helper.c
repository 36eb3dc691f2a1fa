/* SPDX-License-Identifier: MIT */
/*
 * The one child program of the tests: what a child sees and does, as a word on its command line.
 *
 *   exit N            ends with N
 *   sleep MS          ends with 0 after MS milliseconds
 *   echo              copies stdin to stdout until its end
 *   flood N           writes N bytes to stdout
 *   both N            writes N bytes to stdout and N to stderr, in turns
 *   hush MS           closes stdout and stderr; ends after MS
 *   swallow           reads stdin to its end, then says how many bytes there were
 *   late MS           the same, but not before MS milliseconds have passed
 *   args ...          writes each argument on a line of its own, in brackets
 *   env NAME          writes the variable, in brackets, or "unset"
 *   cwd               writes the working directory
 *   handles           writes what it got: one open descriptor number (POSIX) a line
 *   signals           writes the signals that are blocked, and those that are ignored (POSIX)
 *   nonblock          writes whether stdin and stdout block (POSIX)
 *   stubborn MS       ignores the polite request to end; says "ready"; ends after MS
 *   leave MS          starts a child that keeps stdout and lives for MS, says its number, and ends at once
 *   bomb N ORPHANS MS starts N processes that ignore the polite request, each in a session of its own; ORPHANS is 1:
 *                     and without a parent (POSIX). Says "ready"; all live for MS. More words are names to be found by
 *   work MS MIB       uses so much of a processor's time, and of memory (POSIX)
 *   host FLAGS TREE CGROUP ARGV...   starts a helper of its own; says "started", its number, its guard's and its
 *                     cgroup's; lives for a minute (POSIX)
 *   crash             ends by a signal (POSIX) or an exception
 *   lock METHOD MODE MS PATH   holds a lock for MS; says "held" when it has it, "not held" if it has not
 *   record MS PATH             the same for a lock with an owner record
 */
#include "helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "safehold.h"

static int say_args(int count, char **args) {
  int at;

  for (at = 0; at < count; at++) printf("[%s]\n", args[at]);
  return 0;
}

static int say_variable(const char *name) {
  const char *value = getenv(name);

  printf(value == NULL ? "unset\n" : "[%s]\n", value);
  return 0;
}

static int copy(void) {
  char buffer[65536];
  size_t length;

  while ((length = fread(buffer, 1, sizeof(buffer), stdin)) > 0)
    if (fwrite(buffer, 1, length, stdout) != length) return 1;
  return 0;
}

static int swallow(void) {
  char buffer[65536];
  size_t length, total = 0;

  while ((length = fread(buffer, 1, sizeof(buffer), stdin)) > 0) total += length;
  printf("%lu\n", (unsigned long)total);
  return 0;
}

static int flood(unsigned long count, FILE *one, FILE *other) {
  unsigned long at;

  for (at = 0; at < count; at++) {
    if (putc('a' + (int)(at % 26), one) == EOF) return 1;
    if (other != NULL && putc('A' + (int)(at % 26), other) == EOF) return 1;
  }
  return 0;
}

static int hold(const char *path, safe_lock_options *options, long ms) {
  safe_lock *lock;

  options->timeout_ms = SAFE_NO_WAIT;
  if (safe_lock_file(&lock, path, options, NULL) != 0) {
    puts("not held");
    return 1;
  }
  puts("held");
  fflush(stdout);
  helper_sleep(ms);
  return -safe_unlock(lock);
}

static int hold_lock(char **args) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.method = atoi(args[0]);
  options.mode = atoi(args[1]);
  return hold(args[3], &options, atol(args[2]));
}

static int hold_recorded(char **args) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.flags |= SAFE_LOCK_RECORD_OWNER;
  return hold(args[1], &options, atol(args[0]));
}

static int run(int count, char **args) {
  const char *word = args[0];

  if (strcmp(word, "args") == 0) return say_args(count - 1, args + 1);
  if (strcmp(word, "exit") == 0 && count == 2) return atoi(args[1]);
  if (strcmp(word, "echo") == 0) return copy();
  if (strcmp(word, "swallow") == 0) return swallow();
  if (strcmp(word, "late") == 0 && count == 2) return helper_sleep(atol(args[1])) == 0 ? swallow() : 1;
  if (strcmp(word, "flood") == 0 && count == 2) return flood(strtoul(args[1], NULL, 10), stdout, NULL);
  if (strcmp(word, "both") == 0 && count == 2) return flood(strtoul(args[1], NULL, 10), stdout, stderr);
  if (strcmp(word, "env") == 0 && count == 2) return say_variable(args[1]);
  if (strcmp(word, "lock") == 0 && count == 5) return hold_lock(args + 1);
  if (strcmp(word, "record") == 0 && count == 3) return hold_recorded(args + 1);
  if (strcmp(word, "sleep") == 0 && count == 2) return helper_sleep(atol(args[1]));
  if (strcmp(word, "hush") == 0 && count == 2) {
    if (fclose(stdout) != 0 || fclose(stderr) != 0) return 1;
    exit(helper_sleep(atol(args[1]))); /* main would flush what is closed */
  }
  if (strcmp(word, "stubborn") == 0 && count == 2) {
    helper_refuse_to_end();
    puts("ready");
    fflush(stdout);
    return helper_sleep(atol(args[1]));
  }
  return helper_system(count, args);
}

int main(int argc, char **argv) {
  int result;

  if (argc < 2) return 99;
  helper_setup();
  result = run(argc - 1, argv + 1);
  return fflush(stdout) == 0 && fflush(stderr) == 0 ? result : 98;
}
