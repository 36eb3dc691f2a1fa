/* SPDX-License-Identifier: MIT */
/*
 * Who can go on. At first nobody is believed to; then whoever runs, whoever waits for such a one, and so on until
 * nothing changes: a least fixpoint, so that those who only wait for one another are left over. What was not seen is
 * taken to be able to go on: nobody is called stuck for want of sight.
 */
#include <string.h>

#include "judge.h"

/* ---- Who is who. */

int32_t safe__actor_index(const struct safe__scene *scene, int64_t pid) {
  const struct safe__actor *actor = safe__scene_find_actor(scene, pid);

  return actor == NULL ? -1 : (int32_t)(actor - scene->actors);
}

/* A group leader may have ended while other threads run: then there are wants of theirs. */
static bool has_ended(const struct safe__scene *scene, const struct safe__actor *actor, int64_t without) {
  size_t at;

  if (actor->gone || actor->pid == without) return true;
  if (actor->state != 'Z') return false;
  for (at = 0; at < scene->want_count; at++)
    if (scene->wants[at].pid == actor->pid && scene->wants[at].waits != SAFE_WAITS_REAPING) return false;
  return true;
}

bool safe__place_alive(const struct safe__judgement *judgement, const struct safe__place *place) {
  return place->actor < 0 || !judgement->ended[place->actor];
}

bool safe__actor_can_go(const struct safe__judgement *judgement, int32_t actor) {
  return actor < 0 || judgement->can_go[actor];
}

/* ---- Who gets what he waits for. */

static bool child_met(const struct safe__judgement *judgement, const struct safe__want *want) {
  const struct safe__scene *scene = judgement->scene;
  bool any = false;
  size_t at;

  if (want->other != SAFE__ANY_CHILD) return safe__actor_can_go(judgement, safe__actor_index(scene, want->other));
  for (at = 0; at < scene->actor_count; at++) {
    if (scene->actors[at].parent != want->pid || scene->actors[at].gone) continue;
    if (judgement->can_go[at]) return true;
    any = true;
  }
  return !any;
}

/* The ends that give what is wanted of a pipe. Who has both cannot give itself anything. */
static bool is_other_end(const struct safe__judgement *judgement, const struct safe__want *want, size_t at) {
  const safe_holder *end = &judgement->scene->objects[want->object].holders.items[at];

  return end->role == (want->waits == SAFE_WAITS_INPUT ? SAFE__END_WRITES : SAFE__END_READS) &&
         safe__place_alive(judgement, &judgement->places[want->object][at]);
}

/* A pipe to itself is how many a process has its handlers of signals wake it; a FIFO that is kept open for both is how
   many a server waits for whoever comes next. */
static bool may_be_woken(const struct safe__judgement *judgement, const struct safe__want *want,
                         const safe_holder *end) {
  return end->pid == want->pid && (want->handles || judgement->scene->objects[want->object].name[0] == '/');
}

/* With the last other end the wait ends, too: by the end of the input, or SIGPIPE. */
static bool pipe_met(const struct safe__judgement *judgement, const struct safe__want *want) {
  const struct safe__object *object = &judgement->scene->objects[want->object];
  bool any = false;
  size_t at;

  for (at = 0; at < object->holders.count; at++) {
    if (!is_other_end(judgement, want, at)) continue;
    if (may_be_woken(judgement, want, &object->holders.items[at])) return true;
    if (safe__actor_can_go(judgement, judgement->places[want->object][at].actor)) return true;
    any = true;
  }
  return !any;
}

bool safe__want_met(const struct safe__judgement *judgement, const struct safe__want *want) {
  bool seen = want->object >= 0 && judgement->scene->objects[want->object].examined;

  if (want->limit_ms >= 0 || want->alarmed || want->brief) return true;
  if (want->circle) return false;
  switch (want->waits) {
  case SAFE_WAITS_LOCK:
    if (want->object < 0 && want->other > 0)
      return safe__actor_can_go(judgement, safe__actor_index(judgement->scene, want->other));
    return !seen || safe__lock_met(judgement, want);
  case SAFE_WAITS_CHILD:
    return child_met(judgement, want);
  case SAFE_WAITS_INPUT:
  case SAFE_WAITS_ROOM:
    return !seen || pipe_met(judgement, want);
  case SAFE_WAITS_CONTINUE:
  case SAFE_WAITS_DEBUGGER:
  case SAFE_WAITS_KERNEL:
    return false;
  case SAFE_WAITS_OTHER: /* another thread of the same process may be any of those that can go on */
    if (want->within) return safe__actor_can_go(judgement, safe__actor_index(judgement->scene, want->pid));
    return want->other <= 0 || want->other == want->pid ||
           safe__actor_can_go(judgement, safe__actor_index(judgement->scene, want->other));
  default:
    return true;
  }
}

/*
 * Any thread is enough, and for a thread anything that it waits for; but what holds for all threads holds for each. One
 * that waits for the others, as in pthread_join, goes on by them alone, and so adds nothing to what they can do. If all
 * of them do so, somebody who was not seen has to wake one: a set of threads that does nothing is how many a process
 * rests.
 */
static bool actor_goes(const struct safe__judgement *judgement, int64_t pid) {
  const struct safe__scene *scene = judgement->scene;
  bool all = false, all_met = false, one = false, one_met = false; /* one: of those that are not such */
  size_t at;

  for (at = 0; at < scene->want_count; at++) {
    const struct safe__want *want = &scene->wants[at];
    if (want->pid != pid) continue;
    if (want->thread == 0) {
      all = true;
      all_met = all_met || safe__want_met(judgement, want);
    } else if (!want->within) {
      one = true;
      one_met = one_met || safe__want_met(judgement, want);
    }
  }
  return (!all || all_met) && (!one || one_met);
}

static void find_who_can_go(struct safe__judgement *judgement) {
  const struct safe__scene *scene = judgement->scene;
  bool changed = true;
  size_t at;

  for (at = 0; at < scene->actor_count; at++) judgement->can_go[at] = judgement->ended[at];
  while (changed) {
    changed = false;
    for (at = 0; at < scene->object_count; at++)
      if (scene->objects[at].kind == SAFE__OBJECT_FILE) safe__lock_weigh(judgement, at);
    for (at = 0; at < scene->actor_count; at++) {
      if (judgement->can_go[at] || !actor_goes(judgement, scene->actors[at].pid)) continue;
      judgement->can_go[at] = changed = true;
    }
  }
}

/* ---- Who is waited for. */

void safe__answer(struct safe__answers *answers, int64_t pid) {
  size_t at;

  for (at = 0; at < answers->count; at++)
    if (answers->pids[at] == pid) return;
  if (answers->count < answers->room) answers->pids[answers->count++] = pid;
}

static void answer_child(const struct safe__judgement *judgement, const struct safe__want *want,
                         struct safe__answers *answers) {
  const struct safe__scene *scene = judgement->scene;
  size_t at;

  if (want->other > 0) safe__answer(answers, want->other);
  for (at = 0; want->other == SAFE__ANY_CHILD && at < scene->actor_count; at++)
    if (scene->actors[at].parent == want->pid && !scene->actors[at].gone) safe__answer(answers, scene->actors[at].pid);
}

static void answer_pipe(const struct safe__judgement *judgement, const struct safe__want *want,
                        struct safe__answers *answers) {
  const safe_holder_list *list = &judgement->scene->objects[want->object].holders;
  size_t at;

  for (at = 0; at < list->count; at++)
    if (is_other_end(judgement, want, at)) safe__answer(answers, list->items[at].pid);
}

static size_t find_answers(const struct safe__judgement *judgement, const struct safe__want *want, bool in_the_way,
                           int64_t *pids, size_t room) {
  struct safe__answers answers = {pids, 0, room};

  switch (want->waits) {
  case SAFE_WAITS_LOCK:
    if (want->object >= 0) safe__lock_answers(judgement, want, in_the_way, &answers);
    break;
  case SAFE_WAITS_CHILD:
    answer_child(judgement, want, &answers);
    return answers.count;
  case SAFE_WAITS_INPUT:
  case SAFE_WAITS_ROOM:
    if (want->object >= 0) answer_pipe(judgement, want, &answers);
    break;
  default:
    break;
  }
  if (answers.count == 0 && want->other > 0) safe__answer(&answers, want->other);
  return answers.count;
}

size_t safe__want_answers(const struct safe__judgement *judgement, const struct safe__want *want, int64_t *pids,
                          size_t room) {
  return find_answers(judgement, want, false, pids, room);
}

size_t safe__want_blockers(const struct safe__judgement *judgement, const struct safe__want *want, int64_t *pids,
                           size_t room) {
  return find_answers(judgement, want, true, pids, room);
}

/* ---- The verdict. */

static int32_t judge_file(const struct safe__judgement *judgement, int32_t at) {
  const struct safe__object *object = &judgement->scene->objects[at];
  const struct safe__place *places = judgement->places[at];
  bool held = false, keeps = false, hinted = false;
  size_t which;

  for (which = 0; which < object->holders.count; which++) {
    bool holds = object->holders.items[which].role == SAFE_HOLDER_HOLDS && safe__place_alive(judgement, &places[which]);
    held = held || holds;
    keeps = keeps || (holds && places[places[which].group].keeps);
    hinted = hinted || !holds; /* whoever waits, waits for somebody */
  }
  if (keeps) return judgement->cycle_count > 0 ? SAFE_VERDICT_CYCLE : SAFE_VERDICT_STUCK;
  if (held) return SAFE_VERDICT_HELD;
  hinted = hinted || object->holders.unsure || judgement->scene->unknown_count > 0 || !object->examined;
  return hinted ? SAFE_VERDICT_UNKNOWN : SAFE_VERDICT_FREE;
}

bool safe__waits_for_another(const struct safe__want *want) {
  return want->waits != SAFE_WAITS_NOT && (want->waits != SAFE_WAITS_OTHER || want->other > 0);
}

static int32_t judge_process(const struct safe__judgement *judgement, int64_t pid) {
  const struct safe__scene *scene = judgement->scene;
  const struct safe__actor *actor = safe__scene_find_actor(scene, pid);
  bool waits = false, seen = false, goes;
  size_t at;

  if (actor == NULL) return SAFE_VERDICT_UNKNOWN;
  for (at = 0; at < scene->want_count; at++) {
    if (scene->wants[at].pid != pid) continue;
    seen = true;
    waits = waits || safe__waits_for_another(&scene->wants[at]);
  }
  goes = judgement->can_go[actor - scene->actors];
  if (judgement->ended[actor - scene->actors]) {
    waits = true;
    goes = safe__actor_can_go(judgement, safe__actor_index(scene, actor->parent));
  }
  if (!goes) return judgement->cycle_count > 0 ? SAFE_VERDICT_CYCLE : SAFE_VERDICT_STUCK;
  if (waits) return SAFE_VERDICT_HELD;
  return actor->hidden || !seen ? SAFE_VERDICT_UNKNOWN : SAFE_VERDICT_FREE;
}

static bool settle_object(struct safe__judgement *judgement, size_t at) {
  const struct safe__scene *scene = judgement->scene;
  const safe_holder_list *list = &scene->objects[at].holders;
  struct safe__place *places = safe__alloc((list->count + 1) * sizeof(*places));
  size_t which;

  if (places == NULL) return false;
  judgement->places[at] = places;
  for (which = 0; which < list->count; which++) {
    places[which].actor = safe__actor_index(scene, list->items[which].pid);
    places[which].group = (int32_t)which;
    if (scene->objects[at].kind == SAFE__OBJECT_FILE) places[which].group = safe__lock_group(scene, list, which);
  }
  return true;
}

static bool settle(struct safe__judgement *judgement, int64_t without) {
  const struct safe__scene *scene = judgement->scene;
  size_t at;

  judgement->can_go = safe__alloc(scene->actor_count + 1);
  judgement->ended = safe__alloc(scene->actor_count + 1);
  judgement->places =
    safe__alloc((scene->object_count + 1) * sizeof(*judgement->places)); /* NOLINT(bugprone-sizeof-expression) */
  if (judgement->can_go == NULL || judgement->ended == NULL || judgement->places == NULL) return false;
  for (at = 0; at < scene->actor_count; at++) judgement->ended[at] = has_ended(scene, &scene->actors[at], without);
  for (at = 0; at < scene->object_count; at++)
    if (!settle_object(judgement, at)) return false;
  return true;
}

bool safe__judge(const struct safe__scene *scene, const struct safe__question *question, int64_t without,
                 struct safe__judgement *judgement) {
  memset(judgement, 0, sizeof(*judgement));
  judgement->scene = scene;
  if (settle(judgement, without)) {
    find_who_can_go(judgement);
    if (safe__find_cycle(judgement, question)) {
      judgement->verdict =
        question->object >= 0 ? judge_file(judgement, question->object) : judge_process(judgement, question->pid);
      if (judgement->verdict != SAFE_VERDICT_CYCLE) judgement->cycle_count = 0; /* nobody has to wait for it */
      return true;
    }
  }
  safe__judgement_free(judgement);
  return false;
}

void safe__judgement_free(struct safe__judgement *judgement) {
  size_t at;

  for (at = 0; judgement->places != NULL && at < judgement->scene->object_count; at++)
    safe__free(judgement->places[at]);
  safe__free(judgement->can_go);
  safe__free(judgement->ended);
  safe__free(judgement->places);
  safe__free(judgement->cycle);
  memset(judgement, 0, sizeof(*judgement));
}
