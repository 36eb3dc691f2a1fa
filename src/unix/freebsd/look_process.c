/* SPDX-License-Identifier: MIT */
/* Processes and their threads, as kern.proc shows them, which does not block. */
#include <sys/param.h>

#include <sys/proc.h>
#include <sys/sysctl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aside.h"
#include "look.h"
#include "process_state.h"
#include "table.h"

#define MOST_THREADS 64

struct seen {
  struct safe__seen_process process;
  struct safe__seen_thread threads[MOST_THREADS];
  size_t count, left_out;
};

static bool find(int64_t pid, struct kinfo_proc *process) {
  const int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid};
  size_t size = sizeof(*process);

  return pid > 0 && pid <= INT32_MAX && sysctl(name, 4, process, &size, NULL, 0) == 0 && size == sizeof(*process);
}

static void take_process(struct safe__seen_process *seen, const struct kinfo_proc *process) {
  memset(seen, 0, sizeof(*seen));
  seen->pid = process->ki_pid;
  seen->parent = process->ki_ppid;
  seen->tracer = process->ki_tracer;
  memcpy(seen->name, process->ki_comm, sizeof(process->ki_comm));
  seen->state = safe__holder_state(process);
}

static void take_thread(struct seen *seen, const struct kinfo_proc *thread) {
  struct safe__seen_thread *into = &seen->threads[seen->count];

  if (seen->count == MOST_THREADS) {
    seen->left_out++;
    return;
  }
  memset(into, 0, sizeof(*into));
  into->number = thread->ki_tid;
  into->state = safe__holder_state(thread);
  memcpy(into->channel, thread->ki_wmesg, strnlen(thread->ki_wmesg, sizeof(thread->ki_wmesg)));
  into->address = (uint64_t)(uintptr_t)thread->ki_wchan;
  into->slept_s = (int64_t)thread->ki_slptime;
  seen->count++;
}

static void take_threads(struct seen *seen, int64_t pid) {
  const struct kinfo_proc *thread;
  struct safe__table table;
  size_t at = 0;

  if (safe__table_threads(&table, (pid_t)pid) != 0) return;
  while ((thread = safe__table_next_process(&table, &at)) != NULL) take_thread(seen, thread);
  safe__table_drop(&table);
}

/* ---- Descriptors, where they matter. */

static bool has_queued_child(int64_t pid) {
  const struct kinfo_proc *process;
  struct safe__table table;
  bool found = false;
  size_t at = 0;

  if (safe__table_processes(&table) != 0) return false;
  while (!found && (process = safe__table_next_process(&table, &at)) != NULL)
    found = process->ki_ppid == pid && strncmp(process->ki_wmesg, "lockf", sizeof(process->ki_wmesg)) == 0;
  safe__table_drop(&table);
  return found;
}

static bool needs_files(const struct seen *seen) {
  size_t at;

  for (at = 0; at < seen->count; at++)
    if (safe__look_needs_files(&seen->threads[at])) return true;
  return has_queued_child(seen->process.pid);
}

static void look_at_files(struct safe__scene *scene, int64_t pid, int64_t deadline, struct safe__seen_files *files) {
  struct safe__files_order *order = safe__aside_memory(sizeof(*order));
  int os_code;

  if (order == NULL) {
    scene->no_memory = true;
    return;
  }
  order->pid = pid;
  os_code = safe__aside(safe__look_files, order, -1, deadline);
  if (os_code == 0) os_code = atomic_load(&order->os_code);
  if (atomic_load(&order->done))
    *files = order->files;
  else if (os_code == EPERM || os_code == EACCES)
    safe__scene_unknown(scene, "The descriptors of process %lld may not be read by this user.", (long long)pid);
  else
    safe__scene_unknown(scene, "The descriptors of process %lld could not be read%s.", (long long)pid,
                        os_code == 0 ? " in time" : "");
  safe__aside_free(order, sizeof(*order));
}

static void look(struct safe__scene *scene, struct seen *seen, int64_t deadline) {
  struct safe__seen_files *files = safe__alloc(sizeof(*files));
  struct timespec now;

  if (files == NULL) {
    scene->no_memory = true;
    return;
  }
  if (needs_files(seen)) look_at_files(scene, seen->process.pid, deadline, files);
  clock_gettime(CLOCK_REALTIME, &now);
  safe__look_wants(scene, &seen->process, seen->threads, seen->count, files,
                   (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
  if (seen->left_out > 0)
    safe__scene_unknown(scene, "Of the threads of process %lld %d were not looked at.", (long long)seen->process.pid,
                        (int)seen->left_out);
  safe__free(files);
}

void safe__os_look_process(struct safe__scene *scene, int64_t pid, int64_t deadline) {
  struct kinfo_proc process;
  struct safe__actor *actor;
  struct seen *seen;

  if (!find(pid, &process)) {
    actor = safe__scene_actor(scene, pid);
    if (actor != NULL) actor->gone = true;
    return;
  }
  seen = safe__alloc(sizeof(*seen));
  if (seen == NULL) {
    scene->no_memory = true;
    return;
  }
  take_process(&seen->process, &process);
  take_threads(seen, pid);
  look(scene, seen, deadline);
  safe__free(seen);
}

void safe__os_look_children(struct safe__scene *scene, int64_t pid, int64_t deadline) {
  const struct kinfo_proc *process;
  struct safe__actor *actor;
  struct safe__table table;
  size_t at = 0;
  int os_code = safe__table_processes(&table);

  (void)deadline; /* the table is in memory */
  if (os_code != 0) {
    safe__scene_unknown(scene, "The table of processes cannot be read (system error %d).", os_code);
    return;
  }
  while ((process = safe__table_next_process(&table, &at)) != NULL) {
    if (process->ki_ppid != pid) continue;
    actor = safe__scene_actor(scene, process->ki_pid);
    if (actor != NULL) actor->parent = pid;
  }
  safe__table_drop(&table);
}

/* Nothing tells here whether a thread has moved between two looks. */
bool safe__os_look_again(struct safe__scene *scene, const bool *still, int64_t deadline) {
  (void)scene;
  (void)still;
  (void)deadline;
  return false;
}

void safe__os_look_end(struct safe__scene *scene) { scene->look = NULL; }
