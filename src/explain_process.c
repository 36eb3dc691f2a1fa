/* SPDX-License-Identifier: MIT */
/* One process in words: what it is called, and what it does. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "explain.h"

#define MOST_NAMED 5        /* of a list of processes; the rest is counted */
#define MOST_ALTERNATIVES 3 /* of what a thread waits for */

void safe__say(struct safe__text *text, const char *format, ...) {
  va_list arguments;
  size_t wanted;
  char *grown;
  int length;

  va_start(arguments, format);
  length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (text->no_memory || length < 0) return;
  if (text->length + (size_t)length + 1 > text->room) {
    wanted = (text->length + (size_t)length + 1) * 2;
    grown = safe__realloc(text->bytes, wanted);
    text->no_memory = grown == NULL;
    if (grown == NULL) return;
    text->bytes = grown;
    text->room = wanted;
  }
  va_start(arguments, format);
  vsnprintf(text->bytes + text->length, text->room - text->length, format, arguments);
  va_end(arguments);
  text->length += (size_t)length;
}

/* ---- Names. */

static const char *name_in(const safe_holder_list *list, int64_t pid) {
  size_t at;

  for (at = 0; at < list->count; at++)
    if (list->items[at].pid == pid && list->items[at].name[0] != '\0') return list->items[at].name;
  return NULL;
}

/* Who was not looked at may have been named as a holder. */
const char *safe__name_of(const struct safe__scene *scene, int64_t pid) {
  const struct safe__actor *actor = safe__scene_find_actor(scene, pid);
  const char *name = actor != NULL && actor->name[0] != '\0' ? actor->name : NULL;
  size_t at;

  for (at = 0; at < scene->object_count && name == NULL; at++) name = name_in(&scene->objects[at].holders, pid);
  return name == NULL ? "process" : name;
}

void safe__say_process(struct safe__text *text, const struct safe__scene *scene, int64_t pid, int64_t self) {
  char name[64];

  if (pid == self) {
    safe__say(text, "this process");
    return;
  }
  snprintf(name, sizeof(name), "%s", safe__name_of(scene, pid));
  safe__make_printable(name);
  safe__say(text, "%s[%lld]", name, (long long)pid);
}

void safe__say_processes(struct safe__text *text, const struct safe__scene *scene, const int64_t *pids, size_t count,
                         int64_t self) {
  size_t shown = count > MOST_NAMED ? MOST_NAMED : count, at;

  for (at = 0; at < shown; at++) {
    if (at > 0) safe__say(text, at + 1 < count ? ", " : " and ");
    safe__say_process(text, scene, pids[at], self);
  }
  if (count > shown) safe__say(text, " and %d more", (int)(count - shown));
}

/* ---- Times. */

static void say_duration(struct safe__text *text, int64_t ms) {
  int64_t seconds = ms / 1000;

  if (ms < 1000)
    safe__say(text, "%d ms", (int)ms);
  else if (seconds < 120)
    safe__say(text, "%d s", (int)seconds);
  else if (seconds < 120 * 60)
    safe__say(text, "%d min", (int)(seconds / 60));
  else if (seconds < 48 * 3600)
    safe__say(text, "%d h", (int)(seconds / 3600));
  else
    safe__say(text, "%lld days", (long long)(seconds / 86400));
}

bool safe__say_age(struct safe__text *text, const char *before, int64_t since_ms, const char *after) {
  int64_t age = (int64_t)time(NULL) * 1000 - since_ms;

  if (since_ms <= 0 || age < 1000) return false; /* the clock may have been set since */
  safe__say(text, "%s", before);
  say_duration(text, age);
  safe__say(text, "%s", after);
  return true;
}

/* ---- What it waits for. */

static void say_waits(struct safe__text *text, const struct safe__want *want) {
  if (!safe__say_age(text, "has waited ", want->since_ms, " for ")) safe__say(text, "waits for ");
}

static void say_name(struct safe__text *text, const char *from) {
  char name[256];

  snprintf(name, sizeof(name), "%s", from);
  safe__make_printable(name);
  safe__say(text, "%s", name);
}

static void say_lock(struct safe__text *text, const struct safe__judgement *judgement, const struct safe__want *want,
                     int64_t self) {
  int64_t pids[SAFE__MOST_ACTORS];
  size_t count = safe__want_answers(judgement, want, pids, SAFE__MOST_ACTORS);

  say_waits(text, want);
  safe__say(text, "a lock");
  if (want->object >= 0) {
    safe__say(text, " on ");
    say_name(text, judgement->scene->objects[want->object].name);
  } else if (want->what[0] != '\0') {
    safe__say(text, " on ");
    say_name(text, want->what);
  }
  if (count == 0) {
    if (want->object >= 0 && judgement->scene->objects[want->object].examined)
      safe__say(text, ", which nobody that can be seen holds");
  } else if (count == 1 && pids[0] == want->pid) {
    safe__say(text, ", which it holds itself through another open file");
  } else {
    safe__say(text, ", which ");
    safe__say_processes(text, judgement->scene, pids, count, self);
    safe__say(text, count == 1 ? " holds" : " hold");
  }
}

static void say_child(struct safe__text *text, const struct safe__judgement *judgement, const struct safe__want *want,
                      int64_t self) {
  int64_t pids[SAFE__MOST_ACTORS];
  size_t count = safe__want_answers(judgement, want, pids, SAFE__MOST_ACTORS);

  say_waits(text, want);
  if (want->other != SAFE__ANY_CHILD || count == 1) {
    safe__say(text, "its child ");
    safe__say_processes(text, judgement->scene, pids, count, self);
  } else {
    safe__say(text, "one of its children");
    if (count > 0) safe__say(text, ", ");
    safe__say_processes(text, judgement->scene, pids, count, self);
    if (count > 0) safe__say(text, ",");
  }
  safe__say(text, " to end");
}

static void say_pipe(struct safe__text *text, const struct safe__judgement *judgement, const struct safe__want *want,
                     int64_t self) {
  const char *end = want->waits == SAFE_WAITS_INPUT ? "writer" : "reader";
  const char *seen = judgement->scene->unknown_count > 0 ? " that could be seen" : ""; /* there may be others */
  int64_t pids[SAFE__MOST_ACTORS];
  size_t count = safe__want_answers(judgement, want, pids, SAFE__MOST_ACTORS);

  say_waits(text, want);
  safe__say(text, want->waits == SAFE_WAITS_INPUT ? "input on a pipe" : "room in a pipe that is full");
  if (want->handle >= 0) safe__say(text, " (descriptor %lld)", (long long)want->handle);
  if (want->object < 0 || !judgement->scene->objects[want->object].examined) return;
  if (count == 0) {
    safe__say(text, ", of which no %s was seen", end);
  } else if (count == 1 && pids[0] == want->pid) {
    safe__say(text, " whose only %s%s is itself: it has the other end itself", end, seen);
  } else {
    safe__say(text, count == 1 ? " whose only %s%s is " : " whose %ss%s are ", end, seen);
    safe__say_processes(text, judgement->scene, pids, count, self);
  }
}

static void say_kernel(struct safe__text *text, const struct safe__judgement *judgement,
                       const struct safe__want *want) {
  const struct safe__actor *actor = safe__scene_find_actor(judgement->scene, want->pid);
  const char *where = want->what[0] != '\0' ? want->what : actor != NULL ? actor->channel : "";

  if (actor != NULL && actor->state == 'X') {
    safe__say(text, "was ended, but is still there: the kernel does not let go of it");
    return;
  }
  if (!safe__say_age(text, "has slept for ", want->since_ms, " ")) safe__say(text, "sleeps ");
  safe__say(text, "in the kernel, where no signal reaches it");
  if (where[0] == '\0') return;
  safe__say(text, " (in ");
  say_name(text, where);
  safe__say(text, ")");
}

static bool is_phrase(const char *words) { return strncmp(words, "a ", 2) == 0 || strchr(words, ' ') != NULL; }

static void say_other(struct safe__text *text, const struct safe__judgement *judgement, const struct safe__want *want,
                      int64_t self) {
  if (want->what[0] == '\0' && want->other <= 0) { /* nothing more may be seen of it */
    if (!safe__say_age(text, "has slept for ", want->since_ms, "")) safe__say(text, "sleeps");
    return;
  }
  say_waits(text, want);
  if (is_phrase(want->what)) {
    say_name(text, want->what);
  } else {
    safe__say(text, want->what[0] != '\0' ? "something else (" : "something else");
    say_name(text, want->what);
    if (want->what[0] != '\0') safe__say(text, ")");
  }
  if (want->other == want->pid) {
    safe__say(text, ", which another thread of its own has to do");
  } else if (want->other > 0) {
    safe__say(text, ", which is up to ");
    safe__say_process(text, judgement->scene, want->other, self);
  }
}

/* "is stopped by its debugger, gdb[7]": who it is may not be known. */
static void say_with(struct safe__text *text, const struct safe__judgement *judgement, const struct safe__want *want,
                     const char *words, const char *before, int64_t self) {
  safe__say(text, "%s", words);
  if (want->other <= 0) return;
  safe__say(text, "%s", before);
  safe__say_process(text, judgement->scene, want->other, self);
}

void safe__say_want(struct safe__text *text, const struct safe__judgement *judgement, const struct safe__want *want,
                    int64_t self) {
  switch (want->waits) {
  case SAFE_WAITS_LOCK:
    say_lock(text, judgement, want, self);
    break;
  case SAFE_WAITS_CHILD:
    say_child(text, judgement, want, self);
    break;
  case SAFE_WAITS_INPUT:
  case SAFE_WAITS_ROOM:
    say_pipe(text, judgement, want, self);
    break;
  case SAFE_WAITS_CONTINUE:
    safe__say(text, want->what[0] == '\0' ? "is stopped by a signal" : "is stopped (");
    say_name(text, want->what);
    if (want->what[0] != '\0') safe__say(text, ")");
    break;
  case SAFE_WAITS_DEBUGGER:
    say_with(text, judgement, want, "is stopped by its debugger", ", ", self);
    break;
  case SAFE_WAITS_KERNEL:
    say_kernel(text, judgement, want);
    break;
  case SAFE_WAITS_REAPING:
    say_with(text, judgement, want, "has ended and waits to be reaped by its parent", " ", self);
    break;
  case SAFE_WAITS_OTHER:
    say_other(text, judgement, want, self);
    break;
  default:
    safe__say(text, "is running");
    break;
  }
  if (want->limit_ms < 0 && want->alarmed)
    safe__say(text, ", maybe for a limited time: it handles the signal of a timer");
  if (want->limit_ms < 0) return;
  safe__say(text, ", for at most ");
  say_duration(text, want->limit_ms);
}

/* ---- What all of its threads do. */

/* A server waits for many a socket, which all read the same. */
static bool is_said_already(const struct safe__scene *scene, size_t which) {
  const struct safe__want *want = &scene->wants[which];
  size_t at;

  for (at = 0; at < which && want->waits == SAFE_WAITS_OTHER; at++) {
    const struct safe__want *before = &scene->wants[at];
    if (before->pid == want->pid && before->thread == want->thread && before->waits == want->waits &&
        before->other == want->other && strcmp(before->what, want->what) == 0)
      return true;
  }
  return false;
}

static void say_thread(struct safe__text *text, const struct safe__judgement *judgement, int64_t pid, int64_t thread,
                       int64_t self) {
  const struct safe__scene *scene = judgement->scene;
  int said = 0, left = 0;
  size_t at;

  for (at = 0; at < scene->want_count; at++) {
    if (scene->wants[at].pid != pid || scene->wants[at].thread != thread) continue;
    if (is_said_already(scene, at)) continue;
    if (said == MOST_ALTERNATIVES) {
      left++;
      continue;
    }
    if (said++ > 0) safe__say(text, ", or ");
    safe__say_want(text, judgement, &scene->wants[at], self);
  }
  if (left > 0) safe__say(text, ", or for %d other things", left);
}

/* The wants stand in the order of the threads, but those of all threads may be anywhere. */
static size_t count_threads(const struct safe__scene *scene, int64_t pid) {
  int64_t last = 0;
  size_t at, count = 0;

  for (at = 0; at < scene->want_count; at++) {
    if (scene->wants[at].pid != pid || scene->wants[at].thread == 0 || scene->wants[at].thread == last) continue;
    last = scene->wants[at].thread;
    count++;
  }
  return count;
}

static int worth(const struct safe__judgement *judgement, const struct safe__want *want, bool goes) {
  return (safe__want_met(judgement, want) == goes ? 2 : 0) + (want->within ? 0 : 1);
}

/* The want that tells most: one of all threads that keeps it from going on, else of the first thread that can go on, or
   of the first that cannot; one that does not wait for the others, if there is such a one. NULL: nothing is known. */
static const struct safe__want *choose(const struct safe__judgement *judgement, int64_t pid, bool goes) {
  const struct safe__scene *scene = judgement->scene;
  const struct safe__want *chosen = NULL;
  size_t at;

  for (at = 0; at < scene->want_count; at++) {
    const struct safe__want *want = &scene->wants[at];
    if (want->pid != pid) continue;
    if (want->thread == 0 && safe__want_met(judgement, want) == goes) return want;
    if (chosen == NULL || worth(judgement, want, goes) > worth(judgement, chosen, goes)) chosen = want;
  }
  return chosen;
}

static void say_unseen(struct safe__text *text, const struct safe__actor *actor) {
  if (actor->gone)
    safe__say(text, "is not there any more");
  else if (actor->state == 'Z' || actor->state == 'X')
    safe__say(text, "has ended, but is still there");
  else if (actor->state == 'R')
    safe__say(text, "is running");
  else
    safe__say(text, "sleeps; what it waits for cannot be seen");
}

bool safe__say_doing(struct safe__text *text, const struct safe__judgement *judgement, int64_t pid, int64_t self) {
  const struct safe__scene *scene = judgement->scene;
  const struct safe__actor *actor = safe__scene_find_actor(scene, pid);
  bool goes = actor == NULL || judgement->can_go[actor - scene->actors];
  const struct safe__want *want = choose(judgement, pid, goes);
  size_t threads = count_threads(scene, pid);

  if (actor == NULL) return false;
  if (want == NULL) {
    say_unseen(text, actor);
    return true;
  }
  say_thread(text, judgement, pid, want->thread, self);
  if (threads > 1 && want->thread != 0 && goes)
    safe__say(text, " in one of its threads, which can go on"); /* not all of them may have been seen */
  else if (threads > 1 && want->thread != 0)
    safe__say(text, " in one of its %d threads; none can go on", (int)threads);
  return true;
}
