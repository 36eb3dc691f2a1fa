/* SPDX-License-Identifier: MIT */
/* Who waits for one another: the shortest circle among those that cannot go on. */
#include <string.h>

#include "judge.h"

struct search {
  struct safe__judgement *judgement;
  int64_t *pids;  /* room for the answers to one want */
  int32_t *queue; /* actors, in the order in which they were found */
  int32_t *from;  /* of each actor: by whom it was found, -1: not yet */
  size_t *by;     /* and which want led there */
  size_t count;
};

static bool stuck(const struct search *search, int32_t actor) {
  return actor >= 0 && !search->judgement->can_go[actor];
}

static void reach(struct search *search, int32_t actor, int32_t from, size_t by) {
  if (!stuck(search, actor) || search->from[actor] >= 0) return;
  search->from[actor] = from;
  search->by[actor] = by;
  search->queue[search->count++] = actor;
}

/* Goes on from the actor at this place of the queue. True: it waits for the target. */
static bool expand(struct search *search, size_t place, int32_t target) {
  const struct safe__scene *scene = search->judgement->scene;
  int32_t actor = search->queue[place];
  size_t at, which, count;

  for (at = 0; at < scene->want_count; at++) {
    if (scene->wants[at].pid != scene->actors[actor].pid || safe__want_met(search->judgement, &scene->wants[at]))
      continue;
    count = safe__want_blockers(search->judgement, &scene->wants[at], search->pids, SAFE__MOST_ACTORS);
    for (which = 0; which < count; which++) {
      int32_t next = safe__actor_index(scene, search->pids[which]);
      if (next == actor) continue; /* it is stuck by itself: there is nobody else in it */
      if (next == target && target >= 0) {
        search->by[target] = at;
        search->from[target] = actor;
        return true;
      }
      reach(search, next, actor, at);
    }
  }
  return false;
}

static void forget(struct search *search) {
  size_t at;

  for (at = 0; at < search->judgement->scene->actor_count; at++) search->from[at] = -1;
  search->count = 0;
}

/* The shortest way from the actor back to it, as the wants in their order. */
static void find_way_back(struct search *search, int32_t start) {
  struct safe__judgement *judgement = search->judgement;
  int32_t actor = start;
  size_t place, at;

  forget(search);
  reach(search, start, start, 0);
  for (place = 0; place < search->count; place++)
    if (expand(search, place, start)) break;
  if (place == search->count) return;
  do {
    judgement->cycle[judgement->cycle_count++] = search->by[actor];
    actor = search->from[actor];
  } while (actor != start);
  for (at = 0; at < judgement->cycle_count / 2; at++) {
    size_t last = judgement->cycle_count - 1 - at, kept = judgement->cycle[at];
    judgement->cycle[at] = judgement->cycle[last];
    judgement->cycle[last] = kept;
  }
}

/* A circle that the system has found itself, and shows no more of than that the actor is in it. */
static void find_told(struct search *search, int32_t actor) {
  struct safe__judgement *judgement = search->judgement;
  const struct safe__scene *scene = judgement->scene;
  size_t at;

  for (at = 0; at < scene->want_count; at++) {
    if (scene->wants[at].pid != scene->actors[actor].pid || !scene->wants[at].circle) continue;
    judgement->cycle[judgement->cycle_count++] = at;
    return;
  }
}

/* Those with whom the chain begins that cannot go on, and all that they wait for. */
static void reach_all(struct search *search, const struct safe__question *question) {
  const struct safe__scene *scene = search->judgement->scene;
  const struct safe__actor *actor = safe__scene_find_actor(scene, question->pid);
  size_t place, at, count;

  forget(search);
  if (question->object >= 0) {
    count = safe__lock_holders_of(search->judgement, question->object, search->pids, SAFE__MOST_ACTORS);
    for (at = 0; at < count; at++)
      reach(search, safe__actor_index(scene, search->pids[at]), safe__actor_index(scene, search->pids[at]), 0);
  } else if (actor != NULL) {
    reach(search, (int32_t)(actor - scene->actors), 0, 0);
    if (search->judgement->ended[actor - scene->actors]) /* it is its parent who has to go on */
      reach(search, safe__actor_index(scene, actor->parent), 0, 0);
  }
  for (place = 0; place < search->count; place++) expand(search, place, -1);
}

bool safe__find_cycle(struct safe__judgement *judgement, const struct safe__question *question) {
  size_t actors = judgement->scene->actor_count, count, at;
  struct search search = {judgement, NULL, NULL, NULL, NULL, 0};
  int32_t *order = safe__alloc((actors + 1) * sizeof(*order));
  bool done;

  search.pids = safe__alloc(SAFE__MOST_ACTORS * sizeof(*search.pids));
  search.queue = safe__alloc((actors + 1) * sizeof(*search.queue));
  search.from = safe__alloc((actors + 1) * sizeof(*search.from));
  search.by = safe__alloc((actors + 1) * sizeof(*search.by));
  judgement->cycle = safe__alloc((actors + 1) * sizeof(*judgement->cycle));
  done = order != NULL && search.pids != NULL && search.queue != NULL && search.from != NULL && search.by != NULL &&
         judgement->cycle != NULL;
  if (done) {
    reach_all(&search, question);
    count = search.count;
    memcpy(order, search.queue, count * sizeof(*order));
    for (at = 0; at < count && judgement->cycle_count == 0; at++) find_way_back(&search, order[at]);
    for (at = 0; at < count && judgement->cycle_count == 0; at++) find_told(&search, order[at]);
  }
  safe__free(order);
  safe__free(search.pids);
  safe__free(search.queue);
  safe__free(search.from);
  safe__free(search.by);
  return done;
}
