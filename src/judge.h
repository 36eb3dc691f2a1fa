/* SPDX-License-Identifier: MIT */
/* What the judge's files share: explain_judge.c, judge_locks.c for who keeps a lock, judge_cycle.c for the circle. */
#ifndef SAFEHOLD_JUDGE_H
#define SAFEHOLD_JUDGE_H

#include "explain.h"

struct safe__place {
  int32_t actor; /* its index, or -1: it was not looked at */
  int32_t group; /* the first place of those that share one open file description */
  bool keeps;    /* first places: the group cannot let go */
  bool locker;   /* first places: one that asked for the lock is alive */
};

/* Its index among the actors, or -1. */
int32_t safe__actor_index(const struct safe__scene *scene, int64_t pid);
bool safe__place_alive(const struct safe__judgement *judgement, const struct safe__place *place);
/* -1, who was not looked at, can. */
bool safe__actor_can_go(const struct safe__judgement *judgement, int32_t actor);

struct safe__answers {
  int64_t *pids;
  size_t count, room;
};
void safe__answer(struct safe__answers *answers, int64_t pid); /* adds it once */
/* As safe__want_answers, but of locks only those that keep it from going on. */
size_t safe__want_blockers(const struct safe__judgement *judgement, const struct safe__want *want, int64_t *pids,
                           size_t room);

/* ---- judge_locks.c */

/* The first place of those that share one open file description with the holder. */
int32_t safe__lock_group(const struct safe__scene *scene, const safe_holder_list *list, size_t at);
/* Which groups keep their lock, by what is known of who can go on. */
void safe__lock_weigh(const struct safe__judgement *judgement, size_t object);
bool safe__lock_met(const struct safe__judgement *judgement, const struct safe__want *want);
/* in_the_way: without those that will let go of it, as far as was seen. */
void safe__lock_answers(const struct safe__judgement *judgement, const struct safe__want *want, bool in_the_way,
                        struct safe__answers *answers);

/* ---- judge_cycle.c */

/* Finds a circle among those that the answer depends on and that cannot go on. False without memory. */
bool safe__find_cycle(struct safe__judgement *judgement, const struct safe__question *question);

#endif
