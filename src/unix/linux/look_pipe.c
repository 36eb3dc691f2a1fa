/* SPDX-License-Identifier: MIT */
/*
 * Who has the ends of a pipe open. One walk over all descriptors serves every pipe of a scene: it keeps which
 * descriptor is of which pipe. A FIFO is known by its inode, which takes a walk of its own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptors.h"
#include "in_exec.h"
#include "look.h"
#include "seen_file.h"

#define INFO_BYTES 512

/* ---- Walks. */

static void keep(struct safe__descriptor_walk *walk, uint64_t inode, int64_t pid, int number) {
  struct safe__look *look = walk->context;
  struct safe__pipe_end *grown;
  size_t room;

  safe__descriptors_enter(walk);
  if (look->end_count == look->end_room) {
    room = look->end_room == 0 ? 512 : look->end_room * 2;
    grown = safe__realloc(look->ends, room * sizeof(*grown));
    if (grown != NULL) {
      look->ends = grown;
      look->end_room = room;
    }
  }
  if (look->end_count < look->end_room)
    look->ends[look->end_count++] = (struct safe__pipe_end){inode, pid, number};
  else
    walk->no_memory = true;
  safe__descriptors_leave(walk);
}

static void visit_pipe(struct safe__descriptor_walk *walk, const struct safe__descriptor *descriptor) {
  if (strncmp(descriptor->text, "pipe:[", 6) == 0)
    keep(walk, strtoull(descriptor->text + 6, NULL, 10), descriptor->pid, descriptor->number);
}

struct fifo {
  struct safe__scene *scene;
  int32_t object;
  const char *name; /* without folders: another mount namespace has it in another place */
};

static const char *last_part(const char *path) {
  const char *slash = strrchr(path, '/');

  return slash == NULL ? path : slash + 1;
}

static void add_end(struct safe__scene *scene, int32_t object, int64_t pid, int number, const char *info);

static void visit_fifo(struct safe__descriptor_walk *walk, const struct safe__descriptor *descriptor) {
  struct fifo *fifo = walk->context;
  struct safe__seen_file seen = {.id = fifo->scene->objects[fifo->object].id};
  char info[INFO_BYTES];

  if (descriptor->text[0] != '/' || strcmp(last_part(descriptor->text), fifo->name) != 0) return;
  if (!safe__descriptor_info(descriptor, info, sizeof(info)) || !safe__is_seen_file(&seen, descriptor->pid, info, NULL))
    return;
  safe__descriptors_enter(walk);
  add_end(fifo->scene, fifo->object, descriptor->pid, descriptor->number, info);
  safe__descriptors_leave(walk);
}

static void say_what_is_missing(struct safe__scene *scene, const struct safe__descriptor_walk *walk) {
  if (walk->unreadable > 0)
    safe__scene_unknown(scene, "The descriptors of %d process%s may not be read by this user.", walk->unreadable,
                        walk->unreadable == 1 ? "" : "es");
  if (walk->late) safe__scene_unknown(scene, "The time for looking was over before all processes were seen.");
  if (walk->no_proc) safe__scene_unknown(scene, "/proc cannot be read.");
  if (walk->no_memory) scene->no_memory = true;
}

/* ---- Ends. */

static void add_end(struct safe__scene *scene, int32_t object, int64_t pid, int number, const char *info) {
  const char *at = strstr(info, "flags:");
  unsigned long flags = at == NULL ? 0 : strtoul(at + strlen("flags:"), NULL, 8);
  struct safe__proc_stat stat;
  safe_holder holder = {0};
  bool added = true;

  if (at == NULL || (flags & O_PATH) != 0 || !safe__calm_stat(pid, &stat)) return;
  holder.pid = pid;
  holder.handle = number;
  holder.mode = holder.method = -1;
  holder.state = stat.state;
  memcpy(holder.name, stat.name, sizeof(holder.name));
  holder.role = SAFE__END_READS;
  if ((flags & O_ACCMODE) != O_WRONLY) added = safe__holder_add(&scene->objects[object].holders, &holder);
  holder.role = SAFE__END_WRITES;
  if ((flags & O_ACCMODE) != O_RDONLY) added = safe__holder_add(&scene->objects[object].holders, &holder) && added;
  if (!added) scene->no_memory = true;
}

/* The walk has seen it some time ago: looked at again. */
static void add_kept(struct safe__scene *scene, int32_t object, const struct safe__pipe_end *end) {
  char name[32], info[INFO_BYTES];
  uint64_t inode;

  snprintf(name, sizeof(name), "fdinfo/%d", end->number);
  if (safe__proc_read(end->pid, 0, name, info, sizeof(info)) <= 0) return;
  if (safe__info_number(info, "ino", &inode) && inode != end->inode) return; /* Linux 5.14 */
  add_end(scene, object, end->pid, end->number, info);
}

static void look_at_pipe(struct safe__scene *scene, struct safe__look *look, int32_t object, int64_t deadline) {
  struct safe__descriptor_walk walk = {.deadline = deadline, .visit = visit_pipe, .context = look};
  uint64_t inode = scene->objects[object].id.low;
  size_t at;

  walk.wanted = SAFE__DESCRIPTOR_LINK;
  if (!look->walked) {
    safe__descriptors_walk(&walk);
    look->walked = !walk.late;
    say_what_is_missing(scene, &walk);
  }
  for (at = 0; at < look->end_count; at++)
    if (look->ends[at].inode == inode) add_kept(scene, object, &look->ends[at]);
}

static void look_at_fifo(struct safe__scene *scene, int32_t object, int64_t deadline) {
  struct fifo fifo = {scene, object, last_part(scene->objects[object].name)};
  struct safe__descriptor_walk walk = {.deadline = deadline, .visit = visit_fifo, .context = &fifo};

  walk.wanted = SAFE__DESCRIPTOR_LINK;
  safe__descriptors_walk(&walk);
  say_what_is_missing(scene, &walk);
}

void safe__look_pipe(struct safe__scene *scene, int32_t object, int64_t deadline) {
  struct safe__look *look = safe__look_of(scene);

  if (look == NULL) return;
  if (scene->objects[object].name[0] == '/')
    look_at_fifo(scene, object, deadline);
  else
    look_at_pipe(scene, look, object, deadline);
  scene->objects[object].examined = true;
}
