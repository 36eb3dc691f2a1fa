/* SPDX-License-Identifier: MIT */
/* What a thread wants, by its state and its wait message. */
#include "look.h"

#include <stdio.h>
#include <string.h>

static bool is(const struct safe__seen_thread *thread, const char *channel) {
  return strcmp(thread->channel, channel) == 0;
}

static bool reads_pipe(const struct safe__seen_thread *thread) { return is(thread, "piperd"); }

/* The others are of a write that waits for the reader to take the pages themselves (pipe_direct_write). */
static bool writes_pipe(const struct safe__seen_thread *thread) {
  return is(thread, "pipewr") || is(thread, "pipbww") || strncmp(thread->channel, "pipdw", 5) == 0;
}

/* lockstr in kern_lockf.c */
static bool waits_for_lock(const struct safe__seen_thread *thread) { return is(thread, "lockf"); }

bool safe__look_needs_files(const struct safe__seen_thread *thread) {
  return thread->state == 'S' && (reads_pipe(thread) || writes_pipe(thread) || waits_for_lock(thread));
}

static struct safe__want *want(struct safe__scene *scene, int64_t pid, int64_t thread, int32_t waits,
                               int64_t since_ms) {
  struct safe__want *made = safe__scene_want(scene, pid, thread, waits);

  if (made != NULL) made->since_ms = since_ms;
  return made;
}

/* ---- Pipes. */

static void want_pipe(struct safe__scene *scene, int64_t pid, const struct safe__seen_thread *thread,
                      const struct safe__seen_files *files, int64_t since_ms) {
  const struct safe__file_id id = {0, thread->address, 0};
  bool reads = reads_pipe(thread);
  struct safe__want *made;
  int32_t object = -1;
  char name[40];
  int at;

  snprintf(name, sizeof(name), "pipe:[%llx]", (unsigned long long)thread->address);
  if (thread->address != 0) object = safe__scene_object(scene, SAFE__OBJECT_PIPE, &id, name);
  made = want(scene, pid, thread->number, reads ? SAFE_WAITS_INPUT : SAFE_WAITS_ROOM, since_ms);
  if (made == NULL) return;
  made->object = object;
  for (at = 0; at < files->pipe_count && made->handle < 0; at++)
    if ((reads ? files->pipes[at].address : files->pipes[at].peer) == thread->address)
      made->handle = files->pipes[at].fd;
  if (object < 0) safe__scene_unknown(scene, "Which pipe process %lld waits for is not told.", (long long)pid);
}

/* ---- Locks. */

static void want_flock(struct safe__scene *scene, int64_t pid, int64_t thread, const struct safe__seen_flock *file,
                       int64_t since_ms) {
  int32_t object = safe__scene_object(scene, SAFE__OBJECT_FILE, &file->id, file->name);
  struct safe__want *made = want(scene, pid, thread, SAFE_WAITS_LOCK, since_ms);

  if (made == NULL) return;
  made->object = object;
  made->method = SAFE_METHOD_FLOCK;
  made->handle = file->helper == 0 ? file->fd : -1;
}

/* The only file it has ever called flock for, if it has not called fcntl for any. */
static const struct safe__seen_flock *only_file(const struct safe__seen_files *files) {
  const struct safe__seen_flock *found = NULL;
  int at;

  if (!files->known || files->record_locks) return NULL;
  for (at = 0; at < files->flock_count; at++) {
    if (files->flocks[at].helper != 0) continue;
    if (found != NULL) return NULL;
    found = &files->flocks[at];
  }
  return found;
}

static void want_lock(struct safe__scene *scene, int64_t pid, const struct safe__seen_thread *thread,
                      const struct safe__seen_files *files, int64_t since_ms) {
  const struct safe__seen_flock *file = only_file(files);

  if (file != NULL) {
    want_flock(scene, pid, thread->number, file, since_ms);
    return;
  }
  want(scene, pid, thread->number, SAFE_WAITS_LOCK, since_ms);
  safe__scene_unknown(scene, "FreeBSD does not tell which file process %lld waits to lock.", (long long)pid);
}

/* ---- The rest. */

static const struct {
  const char *channel, *words;
} others[] = {
  {"nanslp", "a timer"},
  {"select", "descriptors, in select or poll"},
  {"kqread", "a kqueue"},
  {"sbwait", "a socket"},
  {"accept", "a socket"},
  {"connec", "a socket"},
  {"ttyin", "the terminal"},
  {"ttyout", "the terminal"},
  {"pause", "a signal"},
  {"sigsusp", "a signal"},
  {"sigwait", "a signal"},
  {"fifoor", "somebody to write to a FIFO"},
  {"fifoow", "somebody to read from a FIFO"},
  {"uwait", "another thread, by a futex"},
  {"umtxn", "another thread, by a mutex"},
  {"ucond", "another thread, by a condition variable"},
  {"urdlck", "another thread, by a lock"},
  {"uwrlck", "another thread, by a lock"},
  {"usem", "a semaphore"},
};

static void want_other(struct safe__scene *scene, int64_t pid, const struct safe__seen_thread *thread,
                       int64_t since_ms) {
  struct safe__want *made = want(scene, pid, thread->number, SAFE_WAITS_OTHER, since_ms);
  const char *words = thread->channel;
  size_t at;

  for (at = 0; at < sizeof(others) / sizeof(others[0]); at++)
    if (is(thread, others[at].channel)) words = others[at].words;
  if (made != NULL) snprintf(made->what, sizeof(made->what), "%s", words);
}

/* "wait" is of wait6(2), "ppwait" of vfork(2); neither says for whom. */
static void want_child(struct safe__scene *scene, int64_t pid, const struct safe__seen_thread *thread,
                       int64_t since_ms) {
  struct safe__want *made = want(scene, pid, thread->number, SAFE_WAITS_CHILD, since_ms);

  if (made == NULL) return;
  made->other = SAFE__ANY_CHILD;
  if (is(thread, "ppwait")) snprintf(made->what, sizeof(made->what), "vfork: until it has called exec");
}

static void want_of_sleeper(struct safe__scene *scene, int64_t pid, const struct safe__seen_thread *thread,
                            const struct safe__seen_files *files, int64_t since_ms) {
  if (is(thread, "wait") || is(thread, "ppwait"))
    want_child(scene, pid, thread, since_ms);
  else if (waits_for_lock(thread))
    want_lock(scene, pid, thread, files, since_ms);
  else if (reads_pipe(thread) || writes_pipe(thread))
    want_pipe(scene, pid, thread, files, since_ms);
  else
    want_other(scene, pid, thread, since_ms);
}

/* Every read from a disk is an uninterruptible sleep, too; but not for a second. */
#define STUCK_S 1

static void want_of_thread(struct safe__scene *scene, int64_t pid, const struct safe__seen_thread *thread,
                           const struct safe__seen_files *files, int64_t now_ms) {
  int64_t since_ms = now_ms - thread->slept_s * 1000;
  struct safe__want *made;

  if (thread->state == 'S' || is(thread, "ppwait")) {
    want_of_sleeper(scene, pid, thread, files, since_ms);
  } else if (thread->state == 'D' && thread->slept_s >= STUCK_S) {
    made = want(scene, pid, thread->number, SAFE_WAITS_KERNEL, since_ms);
    if (made != NULL) snprintf(made->what, sizeof(made->what), "%s", thread->channel);
  } else {
    want(scene, pid, thread->number, SAFE_WAITS_NOT, 0);
  }
}

/* What holds for all threads. True: there is no need to look at each. */
static bool want_of_process(struct safe__scene *scene, const struct safe__seen_process *process) {
  struct safe__want *made;

  if (process->state == 'Z') {
    made = want(scene, process->pid, 0, SAFE_WAITS_REAPING, 0);
    if (made != NULL) made->other = process->parent;
  } else if (process->state == 't' && process->tracer > 0) {
    made = want(scene, process->pid, 0, SAFE_WAITS_DEBUGGER, 0);
    if (made != NULL) made->other = process->tracer;
  } else if (process->state == 'T' || process->state == 't') {
    want(scene, process->pid, 0, SAFE_WAITS_CONTINUE, 0);
  } else {
    return false;
  }
  return true;
}

/* A helper queues for a lock in its host's stead: the host's thread itself sleeps for the helper's answer. In a host
   with one thread that is the thread; of several it is not told which. */
static bool want_of_helpers(struct safe__scene *scene, int64_t pid, const struct safe__seen_files *files, int64_t alone,
                            int64_t now_ms) {
  const struct safe__seen_flock *file;
  bool any = false;
  int at;

  for (at = 0; at < files->flock_count; at++) {
    file = &files->flocks[at];
    if (file->helper == 0) continue;
    any = true;
    want_flock(scene, pid, alone != 0 ? alone : file->helper, file, now_ms - file->slept_s * 1000);
  }
  return any;
}

static void fill_in(struct safe__actor *actor, const struct safe__seen_process *process, const char *channel) {
  actor->parent = process->parent;
  memcpy(actor->name, process->name, sizeof(actor->name));
  actor->state = process->state;
  snprintf(actor->channel, sizeof(actor->channel), "%s", channel);
}

void safe__look_wants(struct safe__scene *scene, const struct safe__seen_process *process,
                      const struct safe__seen_thread *threads, size_t count, const struct safe__seen_files *files,
                      int64_t now_ms) {
  struct safe__actor *actor = safe__scene_actor(scene, process->pid);
  bool waits;
  size_t at;

  if (actor != NULL) fill_in(actor, process, count > 0 ? threads[0].channel : "");
  if (want_of_process(scene, process)) return;
  waits = want_of_helpers(scene, process->pid, files, count == 1 ? threads[0].number : 0, now_ms);
  for (at = 0; at < count; at++)
    if (!waits || count > 1) want_of_thread(scene, process->pid, &threads[at], files, now_ms);
}
