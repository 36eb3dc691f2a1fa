/* SPDX-License-Identifier: MIT */
/*
 * An explanation: explain_walk.c follows the chain and has the systems fill in the scene, explain_judge.c says who can
 * go on, explain_text.c, explain_file.c and explain_process.c put it into words, explain.c hands it out.
 */
#ifndef SAFEHOLD_EXPLAIN_H
#define SAFEHOLD_EXPLAIN_H

#include "scene.h"

/* What is asked. */
struct safe__question {
  int32_t object; /* the file, or -1, and then: */
  int64_t pid;    /* the process */
};

/* ---- explain_walk.c */

/* Looks at whatever the answer depends on, until nothing new comes up, or the deadline, which is said among the
   unknown. */
void safe__explain_walk(struct safe__scene *scene, const struct safe__question *question, int64_t deadline);

/* ---- explain_judge.c */

struct safe__place; /* a holder or a pipe's end, as the judge sees it */

struct safe__judgement {
  const struct safe__scene *scene;
  int32_t verdict;             /* SAFE_VERDICT_* */
  bool *can_go;                /* of each actor */
  bool *ended;                 /* of each actor: nothing of it is left but, maybe, its status */
  struct safe__place **places; /* of each object, one for each of its holders */
  size_t *cycle;               /* wants, each one's answer being the next one's process; the last leads to the first */
  size_t cycle_count;
};

/* False without memory. As if the process `without`, if not 0, had ended. */
bool safe__judge(const struct safe__scene *scene, const struct safe__question *question, int64_t without,
                 struct safe__judgement *judgement);
void safe__judgement_free(struct safe__judgement *judgement);
/* Whether what is wanted will come, as far as was seen. */
bool safe__want_met(const struct safe__judgement *judgement, const struct safe__want *want);
/* The processes by which it could come, those that keep it from coming first; how many, at most room. */
size_t safe__want_answers(const struct safe__judgement *judgement, const struct safe__want *want, int64_t *pids,
                          size_t room);
/* Those that hold, or may hold, locks on the object: the same. */
size_t safe__lock_holders_of(const struct safe__judgement *judgement, int32_t object, int64_t *pids, size_t room);
/* Whether it waits for another one at all. */
bool safe__waits_for_another(const struct safe__want *want);

/* ---- explain_text.c */

/* Text that grows. Once memory fails it stays as it is, and says so. */
struct safe__text {
  char *bytes;
  size_t length, room;
  bool no_memory;
};
void safe__say(struct safe__text *text, const char *format, ...) SAFE__PRINTF(2, 3);
/* The whole story; NULL without memory. */
char *safe__explain_text(const struct safe__judgement *judgement, const struct safe__question *question);

/* What could not be seen, each sentence once; NULL without memory. */
const char **safe__explain_reasons(const struct safe__scene *scene, size_t *count);

/* ---- explain_file.c: one file in words, a line for who holds it and one for who waits. */
void safe__tell_file(struct safe__text *text, const struct safe__scene *scene, int32_t object);

/* ---- explain_process.c: one process in words. */

/* Its name, or "process". */
const char *safe__name_of(const struct safe__scene *scene, int64_t pid);
/* "php-fpm[101]", or "this process" if that is self. */
void safe__say_process(struct safe__text *text, const struct safe__scene *scene, int64_t pid, int64_t self);
/* What comes after the name: "waits for its child rrdtool[117] to end". */
void safe__say_want(struct safe__text *text, const struct safe__judgement *judgement, const struct safe__want *want,
                    int64_t self);
/* The same for the whole process. False if nothing is known of it. */
bool safe__say_doing(struct safe__text *text, const struct safe__judgement *judgement, int64_t pid, int64_t self);
/* "a[1], b[2] and c[3]"; of many the first, and how many there are more. */
void safe__say_processes(struct safe__text *text, const struct safe__scene *scene, const int64_t *pids, size_t count,
                         int64_t self);
/* "14 s", between the other two; false, and nothing, if since_ms is not known or less than a second ago. */
bool safe__say_age(struct safe__text *text, const char *before, int64_t since_ms, const char *after);
/* ---- explain_message.c */

/* Adds to the message what the process does: the subject, " It" for one, then "waits for ...". Looks at most until the
   deadline. False, and nothing is added, if too little was seen or if there is no room for the sentence. */
bool safe__add_doing(safe_error *error, const char *subject, int64_t pid, int64_t deadline);
/* The same without a look, of one that is known to sleep where no signal reaches it. */
bool safe__add_stuck(safe_error *error, const char *subject, int64_t pid, const char *channel);

#endif
