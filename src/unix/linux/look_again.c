/* SPDX-License-Identifier: MIT */
/*
 * What keeps a wait from being called one for ever: that the thread has moved since it was looked at, that it may be
 * woken by a signal, or that it has not lasted long.
 *
 * Processes are looked at one after the other. Two that answer each other through pipes may each be seen at the moment
 * when he waits for the other one. But whoever has not left his place between his look and a second one, after all of
 * them, was there all the time between, and so they were all at once.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "in_exec.h"
#include "look.h"

/* A debugger that follows calls, as strace, stops its process for some µs at each of them. */
#define TRACED_MS 20

/* A disk that has much to do lets a writer sleep for seconds, with nothing being wrong. */
#define BRIEF_MS 2000

/* ---- Whoever has moved. */

static int64_t number_of(const char *text, const char *name, int base) {
  const char *at = strstr(text, name);

  return at == NULL ? -1 : strtoll(at + strlen(name), NULL, base);
}

int64_t safe__look_switches(int64_t pid, int64_t thread) {
  int64_t voluntary, others;
  char text[4096];

  if (safe__proc_read(pid, thread, "status", text, sizeof(text)) <= 0) return -1;
  voluntary = number_of(text, "\nvoluntary_ctxt_switches:", 10);
  others = number_of(text, "\nnonvoluntary_ctxt_switches:", 10);
  return voluntary < 0 || others < 0 ? -1 : voluntary + others;
}

/* A debugger that has not got the processor has its process wait meanwhile. */
static bool runs(int64_t pid) {
  struct safe__proc_stat stat;

  return pid > 0 && safe__calm_stat(pid, &stat) && stat.state == 'R';
}

static bool has_moved(const struct safe__want *want) {
  int64_t thread = want->thread == 0 ? want->pid : want->thread;
  struct safe__proc_stat stat;

  if (want->waits == SAFE_WAITS_REAPING || safe__is_in_exec(want->pid)) return false;
  if (!safe__proc_thread_stat(want->pid, thread, &stat) || stat.state == 'R') return true;
  if (want->waits == SAFE_WAITS_DEBUGGER && (stat.state != 't' || runs(want->other))) return true;
  if (want->waits == SAFE_WAITS_CONTINUE && want->what[0] == '\0' && stat.state != 'T') return true;
  return want->stamp >= 0 && safe__look_switches(want->pid, thread) != want->stamp;
}

static void let_go(struct safe__want *want) {
  want->waits = SAFE_WAITS_NOT;
  want->object = -1;
  want->other = 0;
  want->within = false;
  want->what[0] = '\0';
}

/* All that the thread waits for. */
static void let_thread_go(struct safe__scene *scene, int64_t pid, int64_t thread) {
  size_t at;

  for (at = 0; at < scene->want_count; at++)
    if (scene->wants[at].pid == pid && scene->wants[at].thread == thread) let_go(&scene->wants[at]);
}

/* False: there is no time for it, and so nothing can be said of those that a debugger has stopped. */
static bool pause_for_debuggers(struct safe__scene *scene, const bool *still, int64_t deadline) {
  int64_t until = safe__deadline(TRACED_MS);
  size_t at = 0;

  while (at < scene->want_count && (!still[at] || scene->wants[at].waits != SAFE_WAITS_DEBUGGER)) at++;
  if (at == scene->want_count) return true;
  if (until > deadline) return false;
  safe__os_sleep(until, NULL, false);
  return true;
}

bool safe__os_look_again(struct safe__scene *scene, const bool *still, int64_t deadline) {
  bool in_time = pause_for_debuggers(scene, still, deadline), changed = false;
  size_t at;

  for (at = 0; at < scene->want_count; at++) {
    struct safe__want *want = &scene->wants[at];
    if (!still[at] || want->waits == SAFE_WAITS_NOT) continue;
    if (has_moved(want)) {
      let_thread_go(scene, want->pid, want->thread);
      changed = true;
    } else if (want->waits == SAFE_WAITS_DEBUGGER && !in_time) {
      want->brief = changed = true;
    }
  }
  return changed;
}

/* ---- Whoever may be woken. */

static uint64_t bit(int signal) { return (uint64_t)1 << (signal - 1); }

/* The signal of a timer that the process handles: its "signal: 14/0000000000000000" (CONFIG_CHECKPOINT_RESTORE). Timers
   of alarm(2) and setitimer(2) are told nowhere. */
static bool has_timers(int64_t pid, uint64_t caught) {
  static const char name[] = "\nsignal:";
  char text[4096];
  const char *at;

  if (safe__proc_read(pid, 0, "timers", text, sizeof(text)) <= 0) return false;
  for (at = strstr(text, name); at != NULL; at = strstr(at + 1, name)) {
    long signal = strtol(at + strlen(name), NULL, 10);
    if (signal > 0 && signal <= 64 && (caught & bit((int)signal)) != 0) return true;
  }
  return false;
}

void safe__look_signals(struct safe__looker *looker) {
  char text[4096];
  const char *at;

  looker->stamp = -1;
  if (safe__proc_read(looker->pid, 0, "status", text, sizeof(text)) <= 0) return;
  at = strstr(text, "\nSigCgt:");
  looker->caught = at == NULL ? 0 : strtoull(at + strlen("\nSigCgt:"), NULL, 16);
  looker->timers = looker->caught != 0 && has_timers(looker->pid, looker->caught);
}

/* Whoever handles these handles all that there are, as an emulator does, or a shell at a terminal; that he uses any of
   them, it does not tell. */
static uint64_t used(uint64_t caught) {
  uint64_t rare = bit(SIGVTALRM) | bit(SIGXCPU);

  return (caught & rare) == rare ? 0 : caught;
}

/* SIGINT is what Python handles for everybody; others are for a program's own faults, or libc's (32, 33). */
static bool handles_signals(const struct safe__looker *looker) {
  uint64_t faults = bit(SIGINT) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGABRT) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGSEGV) |
                    bit(SIGPIPE) | bit(SIGSYS) | bit(32) | bit(33);

  return (used(looker->caught) & ~faults) != 0;
}

bool safe__look_may_be_signalled(const struct safe__looker *looker) {
  return looker->timers || handles_signals(looker);
}

void safe__look_mark(const struct safe__looker *looker, struct safe__want *want) {
  bool pipe = want->waits == SAFE_WAITS_INPUT || want->waits == SAFE_WAITS_ROOM;

  if (pipe || want->waits == SAFE_WAITS_LOCK || want->waits == SAFE_WAITS_CHILD)
    want->alarmed = looker->timers || (used(looker->caught) & bit(SIGALRM)) != 0;
  want->handles = pipe && handles_signals(looker);
}

/* ---- What has not lasted long. */

bool safe__look_is_brief(int64_t since_ms) {
  struct timespec now;

  clock_gettime(CLOCK_REALTIME, &now);
  return since_ms > 0 && (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - since_ms < BRIEF_MS;
}
