/* SPDX-License-Identifier: MIT */
/* Files, and who holds their locks, for the chain of who waits for whom: holders_proc.c does the looking. */
#include <string.h>

#include "holder_query.h"
#include "look.h"

int safe__os_look_path(struct safe__scene *scene, const char *path, int64_t deadline, int32_t *object,
                       safe_error *error) {
  struct safe__seen_file seen;
  int code = safe__see_path(path, deadline, &seen, error);

  if (code != SAFE_OK) return code;
  *object = safe__scene_object(scene, SAFE__OBJECT_FILE, &seen.id, seen.name[0] != '\0' ? seen.name : path);
  return *object >= 0 ? SAFE_OK : safe__fail_memory(error, SAFE_STAGE_INSPECT);
}

static void look_file(struct safe__scene *scene, int32_t object, int64_t deadline) {
  struct safe__seen_file seen = {.id = scene->objects[object].id};
  safe_holder_list *list = &scene->objects[object].holders;

  /* One that was cut off is no path any more. */
  if (strlen(scene->objects[object].name) < sizeof(scene->objects[object].name) - 1)
    strcpy(seen.name, scene->objects[object].name);
  safe__find_holders(&seen, deadline, false, list);
}

void safe__os_look_object(struct safe__scene *scene, int32_t object, int64_t deadline) {
  if (scene->objects[object].kind == SAFE__OBJECT_PIPE)
    safe__look_pipe(scene, object, deadline);
  else
    look_file(scene, object, deadline);
  scene->objects[object].examined = true;
}
