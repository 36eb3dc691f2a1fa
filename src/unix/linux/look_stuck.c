/* SPDX-License-Identifier: MIT */
/*
 * Uninterruptible sleep is what every read from a disk is for a moment. Who sleeps so twice, at the same place, and has
 * not gone to sleep anew between, is stuck. The first look is at all processes at once, so that one pause serves those
 * that are asked for later.
 */
#include <stdlib.h>
#include <string.h>

#include "in_exec.h"
#include "look.h"

#define PAUSE (50 * SAFE__MS)

struct safe__look *safe__look_of(struct safe__scene *scene) {
  if (scene->look == NULL) scene->look = safe__alloc(sizeof(*scene->look));
  if (scene->look == NULL) scene->no_memory = true;
  return scene->look;
}

static bool sleeps(int64_t pid, int64_t thread) {
  struct safe__proc_stat stat;

  return !safe__is_in_exec(pid) && safe__proc_thread_stat(pid, thread, &stat) && stat.state == 'D';
}

static struct safe__sighting *find(struct safe__look *look, int64_t pid, int64_t thread) {
  size_t at;

  for (at = 0; at < look->sighting_count; at++)
    if (look->sightings[at].pid == pid && look->sightings[at].thread == thread) return &look->sightings[at];
  return NULL;
}

static struct safe__sighting *note(struct safe__look *look, int64_t pid, int64_t thread) {
  size_t room = look->sighting_room == 0 ? 32 : look->sighting_room * 2;
  struct safe__sighting *sighting;

  if (look->sighting_count == look->sighting_room) {
    sighting = safe__realloc(look->sightings, room * sizeof(*sighting));
    if (sighting == NULL) return NULL;
    look->sightings = sighting;
    look->sighting_room = room;
  }
  sighting = &look->sightings[look->sighting_count++];
  sighting->pid = pid;
  sighting->thread = thread;
  sighting->switches = safe__look_switches(pid, thread);
  safe__look_channel(pid, thread, sighting->channel, sizeof(sighting->channel));
  sighting->at = safe__os_now();
  return sighting;
}

static void sweep(struct safe__look *look, int64_t until) {
  struct safe__proc_walk walk;
  int64_t pid;

  look->swept = true;
  safe__proc_open(&walk);
  while (safe__os_now() < until && (pid = safe__proc_walk_next(&walk)) != 0)
    if (sleeps(pid, pid) && find(look, pid, pid) == NULL && note(look, pid, pid) == NULL) break;
  safe__proc_close(&walk);
}

static bool has_stayed(const struct safe__sighting *before) {
  char channel[sizeof(before->channel)];

  if (!sleeps(before->pid, before->thread)) return false;
  safe__look_channel(before->pid, before->thread, channel, sizeof(channel));
  return strcmp(channel, before->channel) == 0 && safe__look_switches(before->pid, before->thread) == before->switches;
}

enum safe__stuck safe__look_stuck(struct safe__scene *scene, int64_t pid, int64_t thread, int64_t deadline) {
  struct safe__look *look = safe__look_of(scene);
  struct safe__sighting *sighting = look == NULL ? NULL : find(look, pid, thread);
  int64_t due;

  if (sighting == NULL && look != NULL) sighting = note(look, pid, thread);
  if (sighting == NULL) return SAFE__NO_TIME;
  due = sighting->at + PAUSE;
  if (due > deadline) return SAFE__NO_TIME;
  if (safe__os_now() < due && !look->swept) {
    size_t at = (size_t)(sighting - look->sightings);
    sweep(look, due);
    sighting = &look->sightings[at]; /* they may have moved */
  }
  if (safe__os_now() < due) safe__os_sleep(due, NULL, false);
  return has_stayed(sighting) ? SAFE__STUCK : SAFE__PASSING;
}

void safe__os_look_end(struct safe__scene *scene) {
  safe__free(scene->look->sightings);
  safe__free(scene->look->ends);
  safe__free(scene->look);
  scene->look = NULL;
}
