/* SPDX-License-Identifier: MIT */
/* Files, and who holds their locks; pipes, and who has their ends. */
#include <string.h>

#include "aside.h"
#include "holders_lockf.h"
#include "look.h"

int safe__os_look_path(struct safe__scene *scene, const char *path, int64_t deadline, int32_t *object,
                       safe_error *error) {
  struct safe__file_id id;
  int code = safe__lockf_file(path, deadline, &id, error);

  if (code != SAFE_OK) return code;
  *object = safe__scene_object(scene, SAFE__OBJECT_FILE, &id, path);
  return *object >= 0 ? SAFE_OK : safe__fail_memory(error, SAFE_STAGE_INSPECT);
}

static void look_at_file(struct safe__object *object, int64_t deadline) {
  safe_error error;

  safe__error_clear(&error);
  if (safe__lockf_holders(&object->id, deadline, &object->holders, &error) != SAFE_OK)
    safe__holder_unknown(&object->holders, "%s", error.message);
}

static void take_ends(struct safe__scene *scene, struct safe__object *object, const struct safe__ends_order *order) {
  int at, count = atomic_load(&order->count), unreadable = atomic_load(&order->unreadable);
  safe_holder holder;

  for (at = 0; at < count; at++) {
    memset(&holder, 0, sizeof(holder));
    holder.pid = order->ends[at].pid;
    holder.handle = order->ends[at].fd;
    holder.role = order->ends[at].writes ? SAFE__END_WRITES : SAFE__END_READS;
    holder.mode = holder.method = -1;
    memcpy(holder.name, order->ends[at].name, sizeof(order->ends[at].name));
    if (!safe__holder_add(&object->holders, &holder)) scene->no_memory = true;
  }
  if (unreadable > 0)
    safe__scene_unknown(scene, "The descriptors of %d processes may not be read by this user.", unreadable);
  if (atomic_load(&order->too_many))
    safe__scene_unknown(scene, "More than %d descriptors are ends of %s.", SAFE__MOST_ENDS, object->name);
  if (!atomic_load(&order->all))
    safe__scene_unknown(scene, "The time for looking was over before all ends of %s were seen.", object->name);
}

static void look_at_pipe(struct safe__scene *scene, struct safe__object *object, int64_t deadline) {
  struct safe__ends_order *order = safe__aside_memory(sizeof(*order));
  int os_code;

  if (order == NULL) {
    scene->no_memory = true;
    return;
  }
  order->pipe = object->id.low;
  os_code = safe__aside(safe__look_ends, order, -1, deadline);
  if (os_code == 0)
    take_ends(scene, object, order);
  else
    safe__scene_unknown(scene, "No process could be made to look for the ends of a pipe (system error %d).", os_code);
  safe__aside_free(order, sizeof(*order));
}

void safe__os_look_object(struct safe__scene *scene, int32_t object, int64_t deadline) {
  if (scene->objects[object].kind == SAFE__OBJECT_PIPE)
    look_at_pipe(scene, &scene->objects[object], deadline);
  else
    look_at_file(&scene->objects[object], deadline);
  scene->objects[object].examined = true;
}
