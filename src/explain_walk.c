/* SPDX-License-Identifier: MIT */
/*
 * Along the chain, breadth first: who holds the file, for what those wait, who could give that, and so on. Of one who
 * can go on by himself little is followed, as the answer does not depend on what else his threads wait for.
 */
#include "explain.h"
#include "os.h"

/* Of a long queue the first are looked at: they wait for the same. */
#define MOST_WAITERS 64

/* Of what the threads of one who can go on wait for. */
#define MOST_OF_A_FREE_ONE 4

struct walk {
  struct safe__scene *scene;
  int64_t asked, deadline;
  size_t next; /* the first actor that was not looked at */
};

static bool in_time(struct walk *walk) {
  if (safe__os_now() < walk->deadline) return true;
  safe__scene_unknown(walk->scene, "The time for looking was over before all was seen.");
  return false;
}

static void meet(struct walk *walk, int64_t pid) {
  if (pid > 0) safe__scene_actor(walk->scene, pid);
}

static void meet_those(struct walk *walk, int32_t object, int32_t role, size_t most) {
  size_t at, met = 0;

  for (at = 0; at < walk->scene->objects[object].holders.count && met < most; at++) {
    const safe_holder *holder = &walk->scene->objects[object].holders.items[at];
    if (holder->role != role) continue;
    meet(walk, holder->pid);
    met++;
  }
}

static void examine(struct walk *walk, int32_t object) {
  if (walk->scene->objects[object].examined) return;
  safe__os_look_object(walk->scene, object, walk->deadline);
  safe__holder_order(&walk->scene->objects[object].holders);
  walk->scene->objects[object].examined = true;
}

static void examine_file(struct walk *walk, int32_t object) {
  examine(walk, object);
  meet_those(walk, object, SAFE_HOLDER_HOLDS, SAFE__MOST_ACTORS);
  meet_those(walk, object, SAFE_HOLDER_OPENS, SAFE__MOST_ACTORS);
  meet_those(walk, object, SAFE_HOLDER_WAITS, MOST_WAITERS);
}

static bool goes_by_itself(const struct safe__want *want) {
  return !safe__waits_for_another(want) || want->limit_ms >= 0;
}

static bool needs_nobody(const struct safe__scene *scene, int64_t pid) {
  size_t at;

  for (at = 0; at < scene->want_count; at++)
    if (scene->wants[at].pid == pid && scene->wants[at].thread == 0 && !goes_by_itself(&scene->wants[at])) return false;
  for (at = 0; at < scene->want_count; at++)
    if (scene->wants[at].pid == pid && goes_by_itself(&scene->wants[at])) return true;
  return false;
}

/* The want is a copy: looking at what it is for may add others, and so move them. */
static void follow_want(struct walk *walk, struct safe__want want) {
  if (want.waits == SAFE_WAITS_CHILD && want.other == SAFE__ANY_CHILD)
    safe__os_look_children(walk->scene, want.pid, walk->deadline);
  else
    meet(walk, want.other);
  if (want.object < 0) return;
  if (want.waits == SAFE_WAITS_LOCK) {
    examine_file(walk, want.object);
  } else {
    examine(walk, want.object);
    meet_those(walk, want.object, want.waits == SAFE_WAITS_INPUT ? SAFE__END_WRITES : SAFE__END_READS,
               SAFE__MOST_ACTORS);
  }
}

/* Of one who can go on by himself the locks and children are followed, as somebody may want to know whose they are; not
   the pipes, of which a server has many. */
static void follow(struct walk *walk, int64_t pid, size_t first_want) {
  bool all = pid == walk->asked || !needs_nobody(walk->scene, pid);
  size_t at;
  int some = 0;

  for (at = first_want; at < walk->scene->want_count; at++) {
    const struct safe__want *want = &walk->scene->wants[at];
    if (want->pid != pid || !safe__waits_for_another(want)) continue;
    if (!all && (want->waits == SAFE_WAITS_INPUT || want->waits == SAFE_WAITS_ROOM || ++some > MOST_OF_A_FREE_ONE))
      continue;
    if (!in_time(walk)) return;
    follow_want(walk, *want);
  }
}

static bool look_at_next(struct walk *walk) {
  struct safe__scene *scene = walk->scene;
  size_t wants = scene->want_count;
  int64_t pid;

  if (walk->next == scene->actor_count || scene->no_memory || !in_time(walk)) return false;
  pid = scene->actors[walk->next++].pid;
  safe__os_look_process(scene, pid, walk->deadline);
  follow(walk, pid, wants);
  return true;
}

void safe__explain_walk(struct safe__scene *scene, const struct safe__question *question, int64_t deadline) {
  struct walk walk = {scene, question->pid, deadline, 0};

  if (question->object >= 0)
    examine_file(&walk, question->object);
  else
    meet(&walk, question->pid);
  while (look_at_next(&walk)) continue;
}
