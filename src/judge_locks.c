/* SPDX-License-Identifier: MIT */
/* Who keeps a lock from being got, as the judge sees it. */
#include "judge.h"

static bool overlap(const safe_holder *one, const safe_holder *other) {
  bool one_ends = one->length != 0 && one->offset + one->length <= other->offset;
  bool other_ends = other->length != 0 && other->offset + other->length <= one->offset;

  return !one_ends && !other_ends;
}

static bool same_range(const safe_holder *one, const safe_holder *other) {
  return one->offset == other->offset && one->length == other->length;
}

static bool is_record_lock(int32_t method) { return method == SAFE_METHOD_OFD || method == SAFE_METHOD_POSIX; }

static bool methods_conflict(int32_t one, int32_t other) {
  return one == -1 || other == -1 || one == other || (is_record_lock(one) && is_record_lock(other));
}

static bool locked_it(const safe_holder *holder) { return holder->via != SAFE_VIA_INHERITED; }

static bool descends(const struct safe__scene *scene, int64_t pid, int64_t from) {
  const struct safe__actor *actor;
  int steps;

  for (steps = 0; steps < SAFE__MOST_ACTORS && pid != 0; steps++) {
    if (pid == from) return true;
    actor = safe__scene_find_actor(scene, pid);
    pid = actor == NULL ? 0 : actor->parent;
  }
  return false;
}

/* An exclusive lock has one description. Of two that share a lock each may have its own, unless the one that did not
   ask for it is a descendant of the one that did. A record lock of fcntl belongs to its process. */
static bool share_one(const struct safe__scene *scene, const safe_holder *one, const safe_holder *other) {
  if (one->role != SAFE_HOLDER_HOLDS || other->role != SAFE_HOLDER_HOLDS || one->method != other->method ||
      one->mode != other->mode || !same_range(one, other))
    return false;
  if (one->pid == other->pid) return true;
  if (one->method == SAFE_METHOD_POSIX) return false;
  if (one->mode == SAFE_LOCK_EXCLUSIVE) return true;
  if (locked_it(one) == locked_it(other)) return false;
  return locked_it(one) ? descends(scene, other->pid, one->pid) : descends(scene, one->pid, other->pid);
}

/* The first place stands for the group, so it must be the one that locked where there is such a one. */
int32_t safe__lock_group(const struct safe__scene *scene, const safe_holder_list *list, size_t at) {
  const safe_holder *holder = &list->items[at];
  int pass;
  size_t other;

  for (pass = 0; pass < 2; pass++)
    for (other = 0; other < list->count; other++)
      if (locked_it(&list->items[other]) == (pass == 0) && share_one(scene, &list->items[other], holder))
        return (int32_t)other;
  return (int32_t)at;
}

/*
 * Which groups keep their lock: whoever asked for it will unlock it, if he can go on, whoever else has it. One that
 * only inherited it does not know of it: it goes with his end, and if nobody is left that asked, with the last one's.
 */
void safe__lock_weigh(const struct safe__judgement *judgement, size_t object) {
  const safe_holder_list *list = &judgement->scene->objects[object].holders;
  struct safe__place *places = judgement->places[object];
  size_t at;

  for (at = 0; at < list->count; at++) places[at].keeps = places[at].locker = false;
  for (at = 0; at < list->count; at++)
    if (list->items[at].role == SAFE_HOLDER_HOLDS && locked_it(&list->items[at]) &&
        safe__place_alive(judgement, &places[at])) {
      places[places[at].group].locker = true;
      if (!safe__actor_can_go(judgement, places[at].actor)) places[places[at].group].keeps = true;
    }
  for (at = 0; at < list->count; at++) /* any of them that asked is enough */
    if (list->items[at].role == SAFE_HOLDER_HOLDS && locked_it(&list->items[at]) &&
        safe__place_alive(judgement, &places[at]) && safe__actor_can_go(judgement, places[at].actor))
      places[places[at].group].keeps = false;
  for (at = 0; at < list->count; at++)
    if (list->items[at].role == SAFE_HOLDER_HOLDS && !places[places[at].group].locker &&
        safe__place_alive(judgement, &places[at]) && !safe__actor_can_go(judgement, places[at].actor))
      places[places[at].group].keeps = true;
}

/* The range that it waits for stands in the list of those that wait; where it does not, it is all of the file. */
static bool ranges_meet(const safe_holder_list *list, const struct safe__want *want, const safe_holder *holder) {
  bool listed = false;
  size_t at;

  for (at = 0; at < list->count; at++) {
    if (list->items[at].role != SAFE_HOLDER_WAITS || list->items[at].pid != want->pid) continue;
    if (overlap(&list->items[at], holder)) return true;
    listed = true;
  }
  return !listed;
}

/* A process does not wait for what it has itself, but for one thing: an exclusive lock through another open file. That
   it is another one is certain only if none of its own has the descriptor that it waits with. */
static bool blocks_itself(const safe_holder_list *list, const struct safe__want *want, const safe_holder *holder) {
  size_t at;

  if (holder->mode != SAFE_LOCK_EXCLUSIVE || want->handle < 0 || holder->handle < 0) return false;
  if (holder->method != want->method || (want->method != SAFE_METHOD_FLOCK && want->method != SAFE_METHOD_OFD))
    return false;
  for (at = 0; at < list->count; at++)
    if (list->items[at].pid == want->pid && list->items[at].handle == want->handle &&
        list->items[at].role == SAFE_HOLDER_HOLDS)
      return false;
  return true;
}

static bool conflict(const safe_holder_list *list, const struct safe__want *want, const safe_holder *holder) {
  if (holder->role == SAFE_HOLDER_WAITS) return false;
  if (!methods_conflict(want->method, holder->method)) return false;
  if (want->mode == SAFE_LOCK_SHARED && holder->mode == SAFE_LOCK_SHARED) return false;
  if (holder->pid == want->pid && !blocks_itself(list, want, holder)) return false;
  return ranges_meet(list, want, holder);
}

/* Whether it is by a description that the process has itself: then it is its own lock. */
static bool is_its_own(const struct safe__judgement *judgement, const struct safe__want *want, size_t at) {
  const safe_holder_list *list = &judgement->scene->objects[want->object].holders;
  const struct safe__place *places = judgement->places[want->object];
  size_t own;

  if (list->items[at].role != SAFE_HOLDER_HOLDS || list->items[at].pid == want->pid) return false;
  for (own = 0; own < list->count; own++)
    if (list->items[own].pid == want->pid && list->items[own].role == SAFE_HOLDER_HOLDS &&
        places[own].group == places[at].group)
      return true;
  return false;
}

/* Whether the place stands in the way of the want: as a known holder, or, where nobody is known to hold it, as one that
   has the file open. */
static bool stands_in_the_way(const struct safe__judgement *judgement, const struct safe__want *want, size_t at,
                              int32_t role) {
  const safe_holder_list *list = &judgement->scene->objects[want->object].holders;

  return list->items[at].role == role && safe__place_alive(judgement, &judgement->places[want->object][at]) &&
         conflict(list, want, &list->items[at]) && !is_its_own(judgement, want, at);
}

/* The lock will be let go of. Of those that have the file open anyone may be the holder. */
bool safe__lock_met(const struct safe__judgement *judgement, const struct safe__want *want) {
  const struct safe__object *object = &judgement->scene->objects[want->object];
  const struct safe__place *places = judgement->places[want->object];
  bool held = false, opened = false, one_goes = false;
  size_t at;

  for (at = 0; at < object->holders.count; at++) {
    if (stands_in_the_way(judgement, want, at, SAFE_HOLDER_HOLDS)) {
      if (places[places[at].group].keeps) return false;
      held = true;
    } else if (stands_in_the_way(judgement, want, at, SAFE_HOLDER_OPENS)) {
      one_goes = one_goes || safe__actor_can_go(judgement, places[at].actor);
      opened = true;
    }
  }
  return held || !opened || one_goes;
}

/* Of a group that has one who asked for the lock, he alone is waited for. */
static bool is_waited_for(const struct safe__judgement *judgement, int32_t object, size_t at, bool keeps) {
  const struct safe__place *places = judgement->places[object];
  const safe_holder *holder = &judgement->scene->objects[object].holders.items[at];
  const struct safe__place *group = &places[places[at].group];

  if (group->keeps != keeps) return false;
  return !group->locker || locked_it(holder);
}

void safe__lock_answers(const struct safe__judgement *judgement, const struct safe__want *want, bool in_the_way,
                        struct safe__answers *answers) {
  const safe_holder_list *list = &judgement->scene->objects[want->object].holders;
  bool held = false;
  int keeps;
  size_t at;

  for (keeps = 1; keeps >= (in_the_way ? 1 : 0); keeps--)
    for (at = 0; at < list->count; at++) {
      if (!stands_in_the_way(judgement, want, at, SAFE_HOLDER_HOLDS)) continue;
      held = true;
      if (is_waited_for(judgement, want->object, at, keeps == 1)) safe__answer(answers, list->items[at].pid);
    }
  for (at = 0; at < list->count && !held; at++)
    if (stands_in_the_way(judgement, want, at, SAFE_HOLDER_OPENS)) safe__answer(answers, list->items[at].pid);
}

size_t safe__lock_holders_of(const struct safe__judgement *judgement, int32_t object, int64_t *pids, size_t room) {
  const safe_holder_list *list = &judgement->scene->objects[object].holders;
  struct safe__answers answers = {pids, 0, room};
  int keeps;
  size_t at;

  for (keeps = 1; keeps >= 0; keeps--)
    for (at = 0; at < list->count; at++)
      if (list->items[at].role == SAFE_HOLDER_HOLDS && safe__place_alive(judgement, &judgement->places[object][at]) &&
          is_waited_for(judgement, object, at, keeps == 1))
        safe__answer(&answers, list->items[at].pid);
  return answers.count;
}
