/* SPDX-License-Identifier: MIT */
/* The story in plain sentences, one idea a line: the file, who holds it and how, who waits, what those do who are
   waited for, the circle, what would help, and what could not be seen. */
#include <stdio.h>
#include <string.h>

#include "explain.h"

#define MOST_HOLDERS 8 /* of the file, whose doings are told */
#define MOST_TOLD 24   /* processes of the chain with a sentence each */
#define MOST_TRIED 32  /* processes whose end is thought through */

struct story {
  struct safe__text text;
  const struct safe__judgement *judgement;
  const struct safe__question *question;
  int64_t queue[MOST_TOLD]; /* who is to be told of */
  size_t queued, beyond;
  bool cycle_told;
};

static const struct safe__scene *scene_of(const struct story *story) { return story->judgement->scene; }

static void say_pid(struct story *story, int64_t pid) { safe__say_process(&story->text, scene_of(story), pid, 0); }

/* ---- What those do who are waited for. */

static void enqueue(struct story *story, int64_t pid) {
  size_t at;

  if (safe__scene_find_actor(scene_of(story), pid) == NULL) return; /* there is nothing to be told */
  for (at = 0; at < story->queued; at++)
    if (story->queue[at] == pid) return;
  if (story->queued < MOST_TOLD)
    story->queue[story->queued++] = pid;
  else
    story->beyond++;
}

static void enqueue_answers(struct story *story, int64_t pid) {
  const struct safe__scene *scene = scene_of(story);
  int64_t pids[SAFE__MOST_ACTORS];
  size_t at, which, count;

  for (at = 0; at < scene->want_count; at++) {
    if (scene->wants[at].pid != pid) continue;
    count = safe__want_answers(story->judgement, &scene->wants[at], pids, SAFE__MOST_ACTORS);
    for (which = 0; which < count; which++) enqueue(story, pids[which]);
  }
}

static const struct safe__want *cycle_want(const struct story *story, size_t at) {
  return &scene_of(story)->wants[story->judgement->cycle[at]];
}

static bool in_cycle(const struct story *story, int64_t pid) {
  size_t at;

  for (at = 0; at < story->judgement->cycle_count; at++)
    if (cycle_want(story, at)->pid == pid) return true;
  return false;
}

/* All of the circle in one line, beginning with the one that was come by first. */
static void tell_cycle(struct story *story, int64_t pid) {
  size_t count = story->judgement->cycle_count, first = 0, at;

  if (story->cycle_told) return;
  story->cycle_told = true;
  while (cycle_want(story, first)->pid != pid) first++;
  for (at = 0; at < count; at++) {
    const struct safe__want *want = cycle_want(story, (first + at) % count);
    if (at > 0) safe__say(&story->text, "; ");
    say_pid(story, want->pid);
    safe__say(&story->text, " ");
    safe__say_want(&story->text, story->judgement, want, 0);
  }
  safe__say(&story->text, ": nobody can go on.\n");
}

static void tell_process(struct story *story, int64_t pid) {
  if (in_cycle(story, pid)) {
    tell_cycle(story, pid);
  } else {
    say_pid(story, pid);
    safe__say(&story->text, " ");
    safe__say_doing(&story->text, story->judgement, pid, 0);
    safe__say(&story->text, ".\n");
  }
  enqueue_answers(story, pid);
}

/* ---- What would help: thought through, not guessed. */

static bool can_be_ended(const struct story *story, int64_t pid) {
  const struct safe__scene *scene = scene_of(story);
  size_t at;

  for (at = 0; at < scene->want_count; at++)
    if (scene->wants[at].pid == pid && scene->wants[at].waits == SAFE_WAITS_KERNEL) return false;
  return true;
}

/* Says so if nothing stands in the way any more once the process has ended. */
static bool try_end(struct story *story, int64_t pid) {
  struct safe__judgement after;
  int64_t holder;
  int32_t verdict;
  bool left;

  if (!can_be_ended(story, pid) || !safe__judge(scene_of(story), story->question, pid, &after)) return false;
  verdict = after.verdict;
  left = story->question->object >= 0 && safe__lock_holders_of(&after, story->question->object, &holder, 1) > 0;
  safe__judgement_free(&after);
  if (verdict == SAFE_VERDICT_CYCLE || verdict == SAFE_VERDICT_STUCK) return false;
  safe__say(&story->text, "Ending ");
  say_pid(story, pid);
  if (story->question->object < 0) {
    safe__say(&story->text, " would let ");
    say_pid(story, story->question->pid);
    safe__say(&story->text, " go on.\n");
  } else {
    safe__say(&story->text, left ? " would let the others go on.\n" : " would let go of the lock.\n");
  }
  return true;
}

static bool tell_continue(struct story *story) {
  const struct safe__scene *scene = scene_of(story);
  bool told = false;
  size_t at;

  for (at = 0; at < scene->want_count; at++) {
    const struct safe__want *want = &scene->wants[at];
    size_t which = 0;
    while (which < story->queued && story->queue[which] != want->pid) which++;
    if (want->waits != SAFE_WAITS_CONTINUE || want->what[0] != '\0' || which == story->queued) continue;
    if (at > 0 && scene->wants[at - 1].pid == want->pid && scene->wants[at - 1].waits == want->waits) continue;
    safe__say(&story->text, "\"kill -CONT %lld\" would let ", (long long)want->pid);
    say_pid(story, want->pid);
    safe__say(&story->text, " go on.\n");
    told = true;
  }
  return told;
}

/* The last in the chain first: who only stands in the way, before the one that works on what is waited for. */
static void tell_help(struct story *story) {
  size_t at, tried = 0;

  if (tell_continue(story)) return;
  for (at = story->queued; at-- > 0 && tried < MOST_TRIED; tried++)
    if (story->queue[at] != story->question->pid && try_end(story, story->queue[at])) return;
}

/* ---- What could not be seen. */

static void say_because(struct story *story, const char *reason) {
  size_t word = strcspn(reason, " ");
  bool plain = strspn(reason + 1, "abcdefghijklmnopqrstuvwxyz") + 1 == word;
  char copy[256];

  snprintf(copy, sizeof(copy), "%s", reason);
  safe__make_printable(copy);
  if (plain && copy[0] >= 'A' && copy[0] <= 'Z') copy[0] = (char)(copy[0] - 'A' + 'a');
  safe__say(&story->text, "Unknown: because %s\n", copy);
}

/* A list of holders has its own, which the scene may have got too, cut where it is long. */
static bool is_told(const char **reasons, size_t count, const char *reason) {
  size_t at;

  for (at = 0; at < count; at++)
    if (strncmp(reasons[at], reason, strlen(reason)) == 0) return true;
  return false;
}

const char **safe__explain_reasons(const struct safe__scene *scene, size_t *count) {
  const char **reasons = safe__alloc((scene->object_count + scene->unknown_count + 1) * sizeof(*reasons));
  size_t at;

  *count = 0;
  if (reasons == NULL) return NULL;
  for (at = 0; at < scene->object_count; at++)
    if (scene->objects[at].holders.unsure && !is_told(reasons, *count, scene->objects[at].holders.unknown))
      reasons[(*count)++] = scene->objects[at].holders.unknown;
  for (at = 0; at < scene->unknown_count; at++)
    if (!is_told(reasons, *count, scene->unknown[at])) reasons[(*count)++] = scene->unknown[at];
  return reasons;
}

static void tell_unknown(struct story *story) {
  size_t count, at;
  const char **reasons = safe__explain_reasons(scene_of(story), &count);

  story->text.no_memory = story->text.no_memory || reasons == NULL;
  for (at = 0; at < count; at++) say_because(story, reasons[at]);
  safe__free(reasons);
}

/* ---- All of it. */

/* What is told of a file that is waited for on the way, beside who holds it: only where that is worth a line. */
static void tell_other_file(struct story *story, const struct safe__want *want) {
  const safe_holder_list *list;
  size_t at, holders = 0;
  bool special = false;

  if (want->waits != SAFE_WAITS_LOCK || want->object < 0) return;
  list = &scene_of(story)->objects[want->object].holders;
  for (at = 0; at < list->count; at++) {
    if (list->items[at].role != SAFE_HOLDER_HOLDS) continue;
    special = special || list->items[at].via > SAFE_VIA_LOCKED || list->items[at].since_ms > 0 || holders > 0;
    holders++;
  }
  if (special) safe__tell_file(&story->text, scene_of(story), want->object);
}

static void tell_chain(struct story *story) {
  const struct safe__scene *scene = scene_of(story);
  int32_t told[4];
  size_t at, which, seen, files = 0;

  for (at = 0; at < story->queued; at++) tell_process(story, story->queue[at]);
  if (story->beyond > 0) safe__say(&story->text, "%d more have to do with it.\n", (int)story->beyond);
  for (at = 0; at < scene->want_count && files < sizeof(told) / sizeof(told[0]); at++) {
    const struct safe__want *want = &scene->wants[at];
    for (which = 0; which < story->queued && story->queue[which] != want->pid; which++) continue;
    for (seen = 0; seen < files && told[seen] != want->object; seen++) continue;
    if (which == story->queued || seen < files || want->object == story->question->object || want->object < 0) continue;
    told[files++] = want->object;
    tell_other_file(story, want);
  }
}

char *safe__explain_text(const struct safe__judgement *judgement, const struct safe__question *question) {
  struct story story = {.judgement = judgement, .question = question};
  int64_t pids[MOST_HOLDERS];
  size_t at, count = 0;

  if (question->object >= 0) {
    safe__tell_file(&story.text, judgement->scene, question->object);
    count = safe__lock_holders_of(judgement, question->object, pids, MOST_HOLDERS);
    for (at = 0; at < count; at++) enqueue(&story, pids[at]);
  } else {
    enqueue(&story, question->pid);
  }
  tell_chain(&story);
  if (judgement->verdict == SAFE_VERDICT_STUCK || judgement->verdict == SAFE_VERDICT_CYCLE) tell_help(&story);
  tell_unknown(&story);
  if (!story.text.no_memory && story.text.bytes != NULL) return story.text.bytes;
  safe__free(story.text.bytes);
  return NULL;
}
