/* SPDX-License-Identifier: MIT */
/* Scenes as a system would fill them in, made by hand. */
#ifndef SAFEHOLD_TEST_PLAY_SCENE_H
#define SAFEHOLD_TEST_PLAY_SCENE_H

#include "explain.h"
#include "support.h"

struct safe__actor *play_actor(struct safe__scene *scene, int64_t pid, const char *name, char state, int64_t parent);
/* Each a new one, and examined. */
int32_t play_file(struct safe__scene *scene, const char *name);
int32_t play_pipe(struct safe__scene *scene);
/* Adds it to the list of an object; the pointer is good until the next one. */
safe_holder *play_holder(struct safe__scene *scene, int32_t object, int64_t pid, int32_t role);
/* A holder of an exclusive lock. */
safe_holder *play_lock(struct safe__scene *scene, int32_t file, int64_t pid, int32_t method, int32_t via);
/* A want of the only thread, which has the number of the process. */
struct safe__want *play_want(struct safe__scene *scene, int64_t pid, int32_t waits);
struct safe__want *play_object_want(struct safe__scene *scene, int64_t pid, int32_t waits, int32_t object);
struct safe__want *play_other_want(struct safe__scene *scene, int64_t pid, int32_t waits, int64_t other);
/* For an exclusive lock; it stands in the list of those that wait, too. */
struct safe__want *play_lock_want(struct safe__scene *scene, int64_t pid, int32_t file, int32_t method);

#endif
