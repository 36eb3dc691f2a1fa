/* SPDX-License-Identifier: MIT */
/*
 * Files, and who has them open; processes, their states, and their children. What a thread waits for macOS tells
 * nobody: of one that sleeps it is only said that it does.
 */
#include <libproc.h>
#include <string.h>
#include <sys/proc.h>
#include <sys/proc_info.h>
#include <sys/sysctl.h>

#include "holders_openers.h"
#include "members.h"

int safe__os_look_path(struct safe__scene *scene, const char *path, int64_t deadline, int32_t *object,
                       safe_error *error) {
  struct safe__file_id id;
  int code = safe__openers_file(path, deadline, &id, error);

  if (code != SAFE_OK) return code;
  *object = safe__scene_object(scene, SAFE__OBJECT_FILE, &id, path);
  return *object >= 0 ? SAFE_OK : safe__fail_memory(error, SAFE_STAGE_INSPECT);
}

/* Of pipes there are none here: no thread is known to wait for one. */
void safe__os_look_object(struct safe__scene *scene, int32_t object, int64_t deadline) {
  safe_holder_list *list = &scene->objects[object].holders;
  safe_error error;

  safe__error_clear(&error);
  if (safe__openers_of(&scene->objects[object].id, deadline, list, &error) != SAFE_OK)
    safe__holder_unknown(list, "%s", error.message);
  scene->objects[object].examined = true;
}

/* ---- Threads. */

#define MOST_THREADS 64

struct threads {
  uint64_t numbers[MOST_THREADS];
  struct proc_threadinfo infos[MOST_THREADS];
  int count;
};

/* False: this user may not see them, or there are too many. */
static bool read_threads(int64_t pid, struct threads *threads) {
  uint64_t numbers[MOST_THREADS + 1];
  int bytes = proc_pidinfo((int)pid, PROC_PIDLISTTHREADS, 0, numbers, sizeof(numbers)), at, count;

  count = bytes <= 0 ? 0 : bytes / (int)sizeof(numbers[0]);
  threads->count = 0;
  for (at = 0; at < count && at < MOST_THREADS; at++) {
    if (proc_pidinfo((int)pid, PROC_PIDTHREADINFO, numbers[at], &threads->infos[threads->count],
                     sizeof(threads->infos[0])) < (int)sizeof(threads->infos[0]))
      continue;
    threads->numbers[threads->count++] = numbers[at];
  }
  return count > 0 && count <= MOST_THREADS;
}

static bool any_in(const struct threads *threads, int state) {
  int at;

  for (at = 0; at < threads->count; at++)
    if (threads->infos[at].pth_run_state == state) return true;
  return false;
}

/* In both looks, and without having run between them. */
static bool has_not_moved(const struct threads *before, const struct threads *after, int thread) {
  const struct proc_threadinfo *now = &after->infos[thread], *then;
  int at;

  for (at = 0; at < before->count; at++) {
    then = &before->infos[at];
    if (before->numbers[at] == after->numbers[thread])
      return then->pth_run_state == now->pth_run_state && then->pth_user_time == now->pth_user_time &&
             then->pth_system_time == now->pth_system_time;
  }
  return false;
}

#define PAUSE (50 * SAFE__MS)

/* Every read from a disk is an uninterruptible sleep, too, but a short one. How long a thread has slept is not told:
   pth_sleep_time is always 0 (thread.c). */
static void find_stuck(struct safe__scene *scene, int64_t pid, const struct threads *before, int64_t deadline) {
  struct threads *after;
  int64_t until = safe__os_now() + PAUSE;
  int at;

  if (!any_in(before, TH_STATE_UNINTERRUPTIBLE)) return;
  after = safe__alloc(sizeof(*after));
  if (after == NULL || until >= deadline) {
    scene->no_memory = scene->no_memory || after == NULL;
    safe__free(after);
    return;
  }
  safe__os_sleep(until, NULL, false);
  read_threads(pid, after);
  for (at = 0; at < after->count; at++)
    if (after->infos[at].pth_run_state == TH_STATE_UNINTERRUPTIBLE && has_not_moved(before, after, at))
      safe__scene_want(scene, pid, (int64_t)after->numbers[at], SAFE_WAITS_KERNEL);
  safe__free(after);
}

static void look_at_threads(struct safe__scene *scene, struct safe__actor *actor, int64_t deadline) {
  struct threads *threads = safe__alloc(sizeof(*threads));
  int64_t pid = actor->pid;
  int at;

  if (threads == NULL) {
    scene->no_memory = true;
    return;
  }
  actor->hidden = !read_threads(pid, threads);
  if (actor->hidden)
    safe__scene_unknown(scene, "The threads of process %lld may not be seen by this user, or are too many.",
                        (long long)pid);
  if (any_in(threads, TH_STATE_WAITING)) {
    actor->hidden = true;
    safe__scene_unknown(scene, "macOS does not tell what sleeping threads wait for.");
  }
  for (at = 0; at < threads->count; at++)
    if (threads->infos[at].pth_run_state == TH_STATE_RUNNING)
      safe__scene_want(scene, pid, (int64_t)threads->numbers[at], SAFE_WAITS_NOT);
  find_stuck(scene, pid, threads, deadline);
  safe__free(threads);
}

/* ---- Processes. */

/* The short form, which is told of every user's processes, and, with the argument 1, of zombies. */
static bool read_process(int64_t pid, struct proc_bsdshortinfo *info) {
  return pid > 0 && pid <= INT32_MAX &&
         proc_pidinfo((int)pid, PROC_PIDT_SHORTBSDINFO, 1, info, sizeof(*info)) >= (int)sizeof(*info);
}

static void fill_in(struct safe__actor *actor, const struct proc_bsdshortinfo *info) {
  actor->parent = info->pbsi_ppid;
  memcpy(actor->name, info->pbsi_comm, sizeof(info->pbsi_comm));
  actor->name[sizeof(info->pbsi_comm)] = '\0';
  if (info->pbsi_status == SZOMB)
    actor->state = 'Z';
  else if (info->pbsi_status == SSTOP)
    actor->state = (info->pbsi_flags & PROC_FLAG_TRACED) != 0 ? 't' : 'T';
  else
    actor->state = safe__openers_state(actor->pid);
}

/* What holds for all threads; its debugger has become its parent (ptrace in mach_process.c). */
static bool look_at_whole(struct safe__scene *scene, const struct safe__actor *actor) {
  struct safe__want *want;
  int32_t waits = actor->state == 'Z'   ? SAFE_WAITS_REAPING
                  : actor->state == 't' ? SAFE_WAITS_DEBUGGER
                                        : SAFE_WAITS_CONTINUE;

  if (actor->state != 'Z' && actor->state != 't' && actor->state != 'T') return false;
  want = safe__scene_want(scene, actor->pid, 0, waits);
  if (want != NULL && waits != SAFE_WAITS_CONTINUE) want->other = actor->parent;
  return true;
}

void safe__os_look_process(struct safe__scene *scene, int64_t pid, int64_t deadline) {
  struct safe__actor *actor = safe__scene_actor(scene, pid);
  struct proc_bsdshortinfo info;

  if (actor == NULL) return;
  actor->gone = !read_process(pid, &info);
  if (actor->gone) return;
  fill_in(actor, &info);
  if (!look_at_whole(scene, actor)) look_at_threads(scene, actor, deadline);
}

void safe__os_look_children(struct safe__scene *scene, int64_t pid, int64_t deadline) {
  struct safe__members all;
  struct safe__actor *actor;
  size_t at;

  (void)deadline; /* the table is in memory */
  if (!safe__members_all(&all, false)) {
    safe__scene_unknown(scene, "The table of processes cannot be read.");
    return;
  }
  for (at = 0; at < all.count; at++) {
    if (all.items[at].parent != pid) continue;
    actor = safe__scene_actor(scene, all.items[at].pid);
    if (actor != NULL) actor->parent = pid;
  }
  safe__free(all.items);
}

/* Nothing tells here whether a thread has moved between two looks. */
bool safe__os_look_again(struct safe__scene *scene, const bool *still, int64_t deadline) {
  (void)scene;
  (void)still;
  (void)deadline;
  return false;
}

void safe__os_look_end(struct safe__scene *scene) { scene->look = NULL; }
