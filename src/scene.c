/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <stdio.h>
#include <string.h>

#include "os.h"

/* Room for one more; NULL without memory, and then the scene lacks something. */
static void *grow(struct safe__scene *scene, void *items, size_t size, size_t count, size_t *room) {
  size_t wanted = *room == 0 ? 16 : *room * 2;
  void *grown;

  if (count < *room) return items;
  grown = safe__realloc(items, wanted * size);
  if (grown == NULL)
    scene->no_memory = true;
  else
    *room = wanted;
  return grown;
}

void safe__scene_init(struct safe__scene *scene) { memset(scene, 0, sizeof(*scene)); }

void safe__scene_free(struct safe__scene *scene) {
  size_t at;

  if (scene->look != NULL) safe__os_look_end(scene);
  for (at = 0; at < scene->object_count; at++) safe__free(scene->objects[at].holders.items);
  safe__free(scene->actors);
  safe__free(scene->wants);
  safe__free(scene->objects);
  safe__scene_init(scene);
}

struct safe__actor *safe__scene_find_actor(const struct safe__scene *scene, int64_t pid) {
  size_t at;

  for (at = 0; at < scene->actor_count; at++)
    if (scene->actors[at].pid == pid) return &scene->actors[at];
  return NULL;
}

struct safe__actor *safe__scene_actor(struct safe__scene *scene, int64_t pid) {
  struct safe__actor *actor = safe__scene_find_actor(scene, pid);

  if (actor != NULL) return actor;
  if (scene->actor_count == SAFE__MOST_ACTORS) {
    safe__scene_unknown(scene, "More than %d processes have to do with it; the rest was not looked at.",
                        SAFE__MOST_ACTORS);
    return NULL;
  }
  actor = grow(scene, scene->actors, sizeof(*actor), scene->actor_count, &scene->actor_room);
  if (actor == NULL) return NULL;
  scene->actors = actor;
  actor += scene->actor_count++;
  memset(actor, 0, sizeof(*actor));
  actor->pid = pid;
  return actor;
}

static bool same_id(const struct safe__file_id *one, const struct safe__file_id *other) {
  return one->volume == other->volume && one->low == other->low && one->high == other->high;
}

int32_t safe__scene_object(struct safe__scene *scene, enum safe__object_kind kind, const struct safe__file_id *id,
                           const char *name) {
  struct safe__object *object;
  size_t at;

  for (at = 0; at < scene->object_count; at++)
    if (scene->objects[at].kind == kind && same_id(&scene->objects[at].id, id)) return (int32_t)at;
  object = grow(scene, scene->objects, sizeof(*object), scene->object_count, &scene->object_room);
  if (object == NULL) return -1;
  scene->objects = object;
  object += scene->object_count;
  memset(object, 0, sizeof(*object));
  object->kind = kind;
  object->id = *id;
  snprintf(object->name, sizeof(object->name), "%s", name);
  return (int32_t)scene->object_count++;
}

struct safe__want *safe__scene_want(struct safe__scene *scene, int64_t pid, int64_t thread, int32_t waits) {
  struct safe__want *want = grow(scene, scene->wants, sizeof(*want), scene->want_count, &scene->want_room);

  if (want == NULL) return NULL;
  scene->wants = want;
  want += scene->want_count++;
  memset(want, 0, sizeof(*want));
  want->pid = pid;
  want->thread = thread;
  want->waits = waits;
  want->object = want->mode = want->method = -1;
  want->handle = want->limit_ms = want->stamp = -1;
  return want;
}

void safe__scene_unknown(struct safe__scene *scene, const char *format, ...) {
  char reason[sizeof(scene->unknown[0])];
  va_list arguments;
  size_t at;

  va_start(arguments, format);
  vsnprintf(reason, sizeof(reason), format, arguments);
  va_end(arguments);
  for (at = 0; at < scene->unknown_count; at++)
    if (strcmp(scene->unknown[at], reason) == 0) return;
  if (scene->unknown_count < SAFE__MOST_REASONS) memcpy(scene->unknown[scene->unknown_count++], reason, sizeof(reason));
}
