/* SPDX-License-Identifier: MIT */
#include "explain.h"

#include <stdio.h>
#include <string.h>

#include "judge.h"
#include "os.h"

/* Of several holders, or ends of a pipe, so many get a link of their own; the first are those that are in the way. */
#define MOST_LINKS 8

struct safe_explanation {
  struct safe__scene scene; /* whose lists are handed out */
  int32_t verdict;
  char *text, *file;
  const safe_holder_list *holders;
  safe_link *links;
  size_t link_count;
  const char **unknown;
  size_t unknown_count;
};

/* ---- Links. */

static bool is_in_cycle(const struct safe__judgement *judgement, size_t want, int64_t other) {
  const struct safe__scene *scene = judgement->scene;
  size_t at, next;

  for (at = 0; at < judgement->cycle_count; at++) {
    next = at + 1 == judgement->cycle_count ? 0 : at + 1;
    if (judgement->cycle[at] != want) continue;
    /* Of a circle that the system told of, only the first step is known. */
    return scene->wants[want].circle || scene->wants[judgement->cycle[next]].pid == other;
  }
  return false;
}

static void fill_link(safe_link *link, const struct safe__judgement *judgement, size_t at, int64_t other) {
  const struct safe__scene *scene = judgement->scene;
  const struct safe__want *want = &scene->wants[at];

  link->pid = want->pid;
  link->thread = want->thread;
  link->other = other;
  link->handle = want->handle;
  link->since_ms = want->since_ms;
  link->limit_ms = want->limit_ms;
  link->waits = want->waits;
  link->in_cycle = is_in_cycle(judgement, at, other);
  snprintf(link->name, sizeof(link->name), "%s", safe__name_of(scene, want->pid));
  if (other > 0) snprintf(link->other_name, sizeof(link->other_name), "%s", safe__name_of(scene, other));
  snprintf(link->what, sizeof(link->what), "%s", want->object >= 0 ? scene->objects[want->object].name : want->what);
  safe__make_printable(link->name);
  safe__make_printable(link->other_name);
  safe__make_printable(link->what);
}

/* One for each that it waits for, or one alone. */
static bool make_links(struct safe_explanation *why, const struct safe__judgement *judgement) {
  const struct safe__scene *scene = &why->scene;
  int64_t pids[MOST_LINKS];
  size_t at, which, count;

  for (at = 0; at < scene->want_count; at++) {
    safe_link *grown;
    if (scene->wants[at].waits == SAFE_WAITS_NOT) continue;
    pids[0] = 0;
    count = safe__want_answers(judgement, &scene->wants[at], pids, MOST_LINKS);
    if (count == 0) count = 1;
    grown = safe__realloc(why->links, (why->link_count + count) * sizeof(*grown));
    if (grown == NULL) return false;
    why->links = grown;
    memset(grown + why->link_count, 0, count * sizeof(*grown));
    for (which = 0; which < count; which++) fill_link(&grown[why->link_count++], judgement, at, pids[which]);
  }
  return true;
}

/* ---- The file. */

static bool is_absolute(const char *path) {
  return path[0] == '/' || path[0] == '\\' || (path[0] != '\0' && path[1] == ':');
}

/* The one that is asked about, or that the process waits for. */
static int32_t find_file(const struct safe__scene *scene, const struct safe__question *question) {
  size_t at;

  if (question->object >= 0) return question->object;
  for (at = 0; at < scene->want_count; at++)
    if (scene->wants[at].pid == question->pid && scene->wants[at].waits == SAFE_WAITS_LOCK)
      return scene->wants[at].object;
  return -1;
}

static bool keep_file(struct safe_explanation *why, const struct safe__question *question, const char *path) {
  static const safe_holder_list nobody;
  int32_t object = find_file(&why->scene, question);
  const char *name;

  why->holders = &nobody;
  if (object < 0) return true;
  name = why->scene.objects[object].name;
  why->holders = &why->scene.objects[object].holders;
  /* The scene's is cut where it is very long; the caller's may be relative. */
  if (path != NULL && (!is_absolute(name) || strlen(name) + 1 == sizeof(why->scene.objects[object].name))) name = path;
  why->file = safe__copy_text(name);
  return why->file != NULL;
}

/* ---- All of it. */

static bool is_standstill(const struct safe__judgement *judgement) {
  return judgement->verdict == SAFE_VERDICT_CYCLE || judgement->verdict == SAFE_VERDICT_STUCK;
}

/* Two that answer each other's questions may each be seen while he waits for the other one. */
static bool has_moved(struct safe__scene *scene, const struct safe__judgement *judgement, int64_t deadline) {
  bool *still = safe__alloc((scene->want_count + 1) * sizeof(*still)), moved = false;
  size_t at;

  if (still == NULL) {
    scene->no_memory = true;
    return false;
  }
  for (at = 0; at < scene->want_count; at++)
    still[at] = !safe__actor_can_go(judgement, safe__actor_index(scene, scene->wants[at].pid));
  moved = safe__os_look_again(scene, still, deadline);
  safe__free(still);
  return moved;
}

static bool judge(struct safe__scene *scene, const struct safe__question *question, int64_t deadline,
                  struct safe__judgement *judgement) {
  if (!safe__judge(scene, question, 0, judgement)) return false;
  while (is_standstill(judgement) && has_moved(scene, judgement, deadline)) {
    safe__judgement_free(judgement);
    if (!safe__judge(scene, question, 0, judgement)) return false;
  }
  if (scene->no_memory) safe__judgement_free(judgement);
  return !scene->no_memory;
}

static bool tell(struct safe_explanation *why, const struct safe__question *question, const char *path,
                 int64_t deadline) {
  struct safe__judgement judgement;
  bool done;

  if (why->scene.no_memory || !judge(&why->scene, question, deadline, &judgement)) return false;
  why->verdict = judgement.verdict;
  why->text = safe__explain_text(&judgement, question);
  why->unknown = safe__explain_reasons(&why->scene, &why->unknown_count);
  done = why->text != NULL && why->unknown != NULL && make_links(why, &judgement) && keep_file(why, question, path);
  safe__judgement_free(&judgement);
  return done;
}

/* Its owner record may name one who is to be looked at, too. */
static void look_at_file(struct safe__scene *scene, int32_t object, const char *path, int64_t deadline) {
  safe__os_look_object(scene, object, deadline);
  safe__holder_order(&scene->objects[object].holders);
  scene->objects[object].examined = true;
  safe__holders_fold_record(&scene->objects[object].holders, path, deadline);
}

static int look(struct safe_explanation *why, const safe_explain_options *options, safe_error *error) {
  int64_t deadline = safe__deadline(options->timeout_ms);
  struct safe__question question = {-1, options->pid};
  const struct safe__actor *actor;
  int code = SAFE_OK;

  if (options->path != NULL) code = safe__os_look_path(&why->scene, options->path, deadline, &question.object, error);
  if (code != SAFE_OK) return code;
  if (options->path != NULL) look_at_file(&why->scene, question.object, options->path, deadline);
  safe__explain_walk(&why->scene, &question, deadline);
  if (why->scene.look != NULL) safe__os_look_end(&why->scene);
  actor = safe__scene_find_actor(&why->scene, options->pid);
  if (options->path == NULL && actor != NULL && actor->gone)
    return safe__fail(error, SAFE_ENOENT, SAFE_STAGE_INSPECT, -1, "There is no process %lld.", (long long)options->pid);
  return tell(why, &question, options->path, deadline) ? SAFE_OK : safe__fail_memory(error, SAFE_STAGE_INSPECT);
}

static int explain(const safe_explain_options *options, safe_explanation **out, safe_error *error) {
  safe_explanation *why = safe__alloc(sizeof(*why));
  int code;

  if (why == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  safe__scene_init(&why->scene);
  code = look(why, options, error);
  if (code == SAFE_OK)
    *out = why;
  else
    safe_explanation_free(why);
  return code;
}

int safe_explain(const safe_explain_options *options, safe_explanation **why, safe_error *caller) {
  safe_explain_options copy;
  safe_error error;
  int code, held;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  if (why != NULL) *why = NULL;
  code = safe__read_explain_options(&copy, options, &error);
  if (code == SAFE_OK && why == NULL)
    code = safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The place for the explanation is NULL.");
  if (code == SAFE_OK) {
    held = safe__os_hold_cancellation();
    code = explain(&copy, why, &error);
    safe__os_allow_cancellation(held);
  }
  return safe__deliver(caller, &error, code);
}

int safe_explanation_verdict(const safe_explanation *why) { return why == NULL ? SAFE_VERDICT_UNKNOWN : why->verdict; }

const char *safe_explanation_text(const safe_explanation *why) { return why == NULL ? "" : why->text; }

const safe_holder_list *safe_explanation_holders(const safe_explanation *why) {
  static const safe_holder_list nobody;

  return why == NULL ? &nobody : why->holders;
}

const char *safe_explanation_file(const safe_explanation *why) { return why == NULL ? NULL : why->file; }

size_t safe_explanation_link_count(const safe_explanation *why) { return why == NULL ? 0 : why->link_count; }

const safe_link *safe_explanation_link(const safe_explanation *why, size_t index) {
  return why == NULL || index >= why->link_count ? NULL : &why->links[index];
}

size_t safe_explanation_unknown_count(const safe_explanation *why) { return why == NULL ? 0 : why->unknown_count; }

const char *safe_explanation_unknown(const safe_explanation *why, size_t index) {
  return why == NULL || index >= why->unknown_count ? NULL : why->unknown[index];
}

void safe_explanation_free(safe_explanation *why) {
  if (why == NULL) return;
  safe__scene_free(&why->scene);
  safe__free(why->text);
  safe__free(why->file);
  safe__free(why->links);
  safe__free(why->unknown);
  safe__free(why);
}
