/* SPDX-License-Identifier: MIT */
#include "play_scene.h"

struct safe__actor *play_actor(struct safe__scene *scene, int64_t pid, const char *name, char state, int64_t parent) {
  struct safe__actor *actor = safe__scene_actor(scene, pid);

  assert_non_null(actor);
  snprintf(actor->name, sizeof(actor->name), "%s", name);
  actor->state = state;
  actor->parent = parent;
  return actor;
}

static int32_t make_object(struct safe__scene *scene, enum safe__object_kind kind, const char *name) {
  const struct safe__file_id id = {1, 1000 + scene->object_count, 0};
  int32_t object = safe__scene_object(scene, kind, &id, name);

  assert_true(object >= 0);
  scene->objects[object].examined = true;
  return object;
}

int32_t play_file(struct safe__scene *scene, const char *name) { return make_object(scene, SAFE__OBJECT_FILE, name); }

int32_t play_pipe(struct safe__scene *scene) { return make_object(scene, SAFE__OBJECT_PIPE, "pipe:[17]"); }

safe_holder *play_holder(struct safe__scene *scene, int32_t object, int64_t pid, int32_t role) {
  safe_holder_list *list = &scene->objects[object].holders;
  safe_holder holder = {0};

  holder.pid = pid;
  holder.role = role;
  holder.handle = -1;
  holder.mode = holder.method = -1;
  assert_true(safe__holder_add(list, &holder));
  return &list->items[list->count - 1];
}

safe_holder *play_lock(struct safe__scene *scene, int32_t file, int64_t pid, int32_t method, int32_t via) {
  safe_holder *holder = play_holder(scene, file, pid, SAFE_HOLDER_HOLDS);

  holder->method = method;
  holder->mode = SAFE_LOCK_EXCLUSIVE;
  holder->via = via;
  return holder;
}

struct safe__want *play_want(struct safe__scene *scene, int64_t pid, int32_t waits) {
  struct safe__want *want = safe__scene_want(scene, pid, pid, waits);

  assert_non_null(want);
  return want;
}

struct safe__want *play_object_want(struct safe__scene *scene, int64_t pid, int32_t waits, int32_t object) {
  struct safe__want *want = play_want(scene, pid, waits);

  want->object = object;
  return want;
}

struct safe__want *play_other_want(struct safe__scene *scene, int64_t pid, int32_t waits, int64_t other) {
  struct safe__want *want = play_want(scene, pid, waits);

  want->other = other;
  return want;
}

struct safe__want *play_lock_want(struct safe__scene *scene, int64_t pid, int32_t file, int32_t method) {
  struct safe__want *want = play_object_want(scene, pid, SAFE_WAITS_LOCK, file);
  safe_holder *waiter = play_holder(scene, file, pid, SAFE_HOLDER_WAITS);

  want->method = waiter->method = method;
  want->mode = waiter->mode = SAFE_LOCK_EXCLUSIVE;
  return want;
}
