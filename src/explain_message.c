/* SPDX-License-Identifier: MIT */
/* What a process does, as the end of an error's message. */
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "os.h"

/* The sentence as a whole, or nothing. */
static bool add_sentence(safe_error *error, const struct safe__text *text) {
  if (text->no_memory || strlen(error->message) + text->length + 1 >= sizeof(error->message)) return false;
  safe__add(error, "%s.", text->bytes);
  return true;
}

static bool add_doing(safe_error *error, const char *subject, const struct safe__scene *scene, int64_t pid) {
  const struct safe__question question = {-1, pid};
  struct safe__text text = {NULL, 0, 0, false};
  struct safe__judgement judgement;
  bool added = false;

  if (scene->want_count == 0 || !safe__judge(scene, &question, 0, &judgement)) return false;
  safe__say(&text, "%s ", subject);
  if (safe__say_doing(&text, &judgement, pid, safe__os_self())) added = add_sentence(error, &text);
  safe__judgement_free(&judgement);
  safe__free(text.bytes);
  return added;
}

bool safe__add_doing(safe_error *error, const char *subject, int64_t pid, int64_t deadline) {
  const struct safe__question question = {-1, pid};
  struct safe__scene scene;
  bool added;

  safe__scene_init(&scene);
  safe__explain_walk(&scene, &question, deadline);
  added = add_doing(error, subject, &scene, pid);
  safe__scene_free(&scene);
  return added;
}

bool safe__add_stuck(safe_error *error, const char *subject, int64_t pid, const char *channel) {
  struct safe__scene scene;
  struct safe__want *want;
  bool added = false;

  safe__scene_init(&scene);
  want = safe__scene_actor(&scene, pid) == NULL ? NULL : safe__scene_want(&scene, pid, 0, SAFE_WAITS_KERNEL);
  if (want != NULL) {
    snprintf(want->what, sizeof(want->what), "%s", channel);
    added = add_doing(error, subject, &scene, pid);
  }
  safe__scene_free(&scene);
  return added;
}
