/* SPDX-License-Identifier: MIT */
/* Where a system tells nothing of who waits for whom. */
#include "os.h"

static const char silent[] = "This system does not tell who waits for whom.";

int safe__os_look_path(struct safe__scene *scene, const char *path, int64_t deadline, int32_t *object,
                       safe_error *error) {
  (void)scene, (void)path, (void)deadline, (void)object;
  return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_INSPECT, -1, "%s", silent);
}

void safe__os_look_object(struct safe__scene *scene, int32_t object, int64_t deadline) {
  (void)object, (void)deadline;
  safe__scene_unknown(scene, "%s", silent);
}
