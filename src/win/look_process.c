/* SPDX-License-Identifier: MIT */
/*
 * A process, and what its threads wait for: the list of the system's processes tells their states, Wait Chain Traversal
 * whose thread another one waits for. All of it is asked on a thread that can be left behind, with a scene of its own.
 */
#include <stdio.h>
#include <string.h>

#include "look.h"
#include "own_locks.h"
#include "task.h"
#include "wait_chain.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

struct question {
  struct safe__win_task task;
  void (*work)(struct question *question);
  struct safe__win_processes all; /* the scene's, lent until there is an answer */
  LONG status;                    /* why there is no list of processes, or 0 */
  int64_t pid, deadline;
  DWORD asker;              /* the thread that waits for the answer */
  struct safe__scene found; /* merged into the caller's */
};

struct safe__look *safe__win_look(struct safe__scene *scene) {
  if (scene->look == NULL) scene->look = safe__alloc(sizeof(*scene->look));
  if (scene->look == NULL) scene->no_memory = true;
  return scene->look;
}

/* Nothing tells here whether a thread has moved between two looks. */
bool safe__os_look_again(struct safe__scene *scene, const bool *still, int64_t deadline) {
  (void)scene;
  (void)still;
  (void)deadline;
  return false;
}

void safe__os_look_end(struct safe__scene *scene) {
  if (scene->look == NULL) return;
  safe__win_processes_free(&scene->look->all);
  safe__free(scene->look->path);
  safe__free(scene->look);
  scene->look = NULL;
}

/* ---- What the threads want. On the task's thread. */

/* By its wait reason (KWAIT_REASON), for a thread of which nothing better is known. A page that comes in is no proof
   that the disk hangs. NULL: it waits to be given work, as the threads of a pool do: it lets nobody go on by itself. */
static const char *words_of(ULONG reason) {
  switch (reason) {
  case 4:
  case 11:
    return "a time";
  case 15: /* WrQueue */
    return NULL;
  case 16:
    return "a request";
  case 17:
    return "an answer to a call (ALPC)";
  case 2:
  case 9:
  case 18:
  case 19:
  case 39:
    return "a page of memory";
  case 21:
  case 28:
  case 37:
    return "a lock in memory";
  case 0:
  case 7:
    return "a file, a pipe or a device";
  default:
    return "an event, or another object";
  }
}

static bool has_want(const struct safe__scene *scene, int32_t waits, const char *what) {
  size_t at;

  for (at = 0; at < scene->want_count; at++)
    if (scene->wants[at].waits == waits && scene->wants[at].other == 0 && strcmp(scene->wants[at].what, what) == 0)
      return true;
  return false;
}

/* Threads that are as good as each other are told of once: a server may have hundreds. */
static void want_once(struct question *question, int64_t thread, int32_t waits, const char *what) {
  struct safe__want *want;

  if (has_want(&question->found, waits, what)) return;
  want = safe__scene_want(&question->found, question->pid, thread, waits);
  if (want != NULL) snprintf(want->what, sizeof(want->what), "%s", what);
}

static void want_by_reason(struct question *question, const struct safe__win_thread *thread) {
  const char *what = words_of(thread->reason);

  if (what == NULL) return;
  want_once(question, (int64_t)(intptr_t)thread->tid, SAFE_WAITS_OTHER, what);
  if (thread->reason == 4 || thread->reason == 11) return; /* it ends by itself */
  safe__scene_unknown(&question->found,
                      "The system does not tell who could end a wait for a pipe, a socket, a file or an event.");
}

static bool is_child(const struct question *question, int64_t pid) {
  const struct safe__win_process *process = safe__win_processes_find(&question->all, pid);

  return process != NULL && safe__win_process_parent(&question->all, process) == question->pid;
}

static void want_by_chain(struct question *question, int64_t thread, const struct safe__win_waits *waits) {
  bool child = waits->process && is_child(question, waits->pid);
  struct safe__want *want =
    safe__scene_want(&question->found, question->pid, thread, child ? SAFE_WAITS_CHILD : SAFE_WAITS_OTHER);

  if (want == NULL) return;
  want->other = waits->pid;
  want->circle = waits->circle;
  snprintf(want->what, sizeof(want->what), "%s", waits->what);
  if (waits->hidden)
    safe__scene_unknown(&question->found, "This user may not see who could end a wait for %s.", waits->what);
}

/* Our own thread's locks are known better than by an event that it waits for. */
static bool waits_for_lock(const struct safe__scene *scene, int64_t thread) {
  size_t at;

  for (at = 0; at < scene->want_count; at++)
    if (scene->wants[at].waits == SAFE_WAITS_LOCK && scene->wants[at].thread == thread) return true;
  return false;
}

static bool can_be_in_a_chain(const struct safe__win_thread *thread) {
  return thread->state != SAFE__THREAD_WAITS ||
         (thread->reason != 4 && thread->reason != 11 && thread->reason != 15 && !safe__win_thread_suspended(thread));
}

static void look_at_thread(struct question *question, struct safe__win_wait_chain *chain,
                           const struct safe__win_thread *thread, struct safe__actor *actor) {
  int64_t tid = (int64_t)(intptr_t)thread->tid;
  struct safe__win_waits waits;

  if (tid == GetCurrentThreadId()) return; /* this one is the library's, and soon gone */
  if (tid == question->asker || safe__win_thread_runs(thread)) {
    want_once(question, tid, SAFE_WAITS_NOT, "");
  } else if (waits_for_lock(&question->found, tid)) {
    return;
  } else if (safe__win_thread_suspended(thread)) {
    want_once(question, tid, SAFE_WAITS_CONTINUE, "suspended");
  } else if (chain->session != NULL && can_be_in_a_chain(thread) &&
             safe__win_wait_chain_ask(chain, (DWORD)tid, &waits)) {
    want_by_chain(question, tid, &waits);
  } else {
    if (chain->session != NULL && chain->failure == ERROR_ACCESS_DENIED) actor->hidden = true;
    if (thread->state == SAFE__THREAD_WAITS) want_by_reason(question, thread);
  }
}

static void look_at_threads(struct question *question, const struct safe__win_process *process,
                            struct safe__actor *actor) {
  const struct safe__win_thread *threads = safe__win_process_threads(process);
  struct safe__win_wait_chain chain = {NULL, NULL, 0};
  ULONG at;

  if (!safe__win_wait_chain_open(&chain)) {
    actor->hidden = true;
    safe__scene_unknown(&question->found, "The system does not tell which threads wait for one another (error %lu).",
                        (unsigned long)chain.failure);
  }
  for (at = 0; at < process->thread_count && safe__os_now() < question->deadline; at++)
    look_at_thread(question, &chain, &threads[at], actor);
  if (question->found.want_count == 0 && !actor->hidden) want_once(question, 0, SAFE_WAITS_OTHER, "work");
  if (at < process->thread_count) {
    want_once(question, (int64_t)(intptr_t)threads[at].tid, SAFE_WAITS_OTHER, "something that was not seen in time");
    safe__scene_unknown(&question->found, "Of the %lu threads of process %lld only %lu were looked at in time.",
                        (unsigned long)process->thread_count, (long long)question->pid, (unsigned long)at);
  }
  if (chain.session != NULL && actor->hidden)
    safe__scene_unknown(&question->found, "This user may not see what all threads of %s[%lld] wait for.", actor->name,
                        (long long)question->pid);
  safe__win_wait_chain_close(&chain);
}

/* ---- What this process itself waits for is known. */

static void add_own(const struct safe__win_own_lock *own, void *context) {
  struct question *question = context;
  struct safe__want *want;
  int32_t object;

  if (own->role != SAFE_HOLDER_WAITS || own->thread == 0) return;
  object = safe__scene_object(&question->found, SAFE__OBJECT_FILE, &own->id, "");
  want = object < 0 ? NULL : safe__scene_want(&question->found, question->pid, own->thread, SAFE_WAITS_LOCK);
  if (want == NULL) return;
  want->object = object;
  want->mode = own->mode;
  want->method = own->method;
  want->handle = (int64_t)(intptr_t)own->file;
  want->since_ms = own->since_ms;
  if (own->until != SAFE__NEVER)
    want->limit_ms = safe__win_now_ms() - own->since_ms + safe__left_ms(own->until, INT32_MAX);
}

/* The lock's own handle may be synchronous and busy, or closed by now, and its value another one's. */
static void name_object(struct safe__object *object, HANDLE handle) {
  HANDLE file = ReOpenFile(handle, FILE_READ_ATTRIBUTES, SHARE_ALL, FILE_FLAG_BACKUP_SEMANTICS);
  struct safe__file_id id;
  wchar_t *path = NULL;

  if (file == INVALID_HANDLE_VALUE) return;
  if (safe__win_file_id(file, &id) && safe__win_same_file(&id, &object->id)) path = safe__win_path_of(file);
  if (path != NULL) safe__win_narrow(path, object->name, sizeof(object->name));
  safe__free(path);
  CloseHandle(file);
}

static void look_at_own_locks(struct question *question) {
  struct safe__scene *found = &question->found;
  size_t at;

  safe__win_own_locks(NULL, add_own, question);
  for (at = 0; at < found->want_count; at++)
    if (found->objects[found->wants[at].object].name[0] == '\0')
      name_object(&found->objects[found->wants[at].object], (HANDLE)(intptr_t)found->wants[at].handle);
}

/* ---- The process. */

static void want_by_state(struct question *question, char state) {
  if (state == 'T') want_once(question, 0, SAFE_WAITS_CONTINUE, "suspended");
  if (state == 't') want_once(question, 0, SAFE_WAITS_DEBUGGER, "");
  if (state == 'X') want_once(question, 0, SAFE_WAITS_KERNEL, "ended, but not gone");
}

static void look_at_process(struct question *question) {
  const struct safe__win_process *process = safe__win_processes_find(&question->all, question->pid);
  struct safe__actor *actor = safe__scene_actor(&question->found, question->pid);
  bool denied = false;

  if (actor == NULL) return;
  actor->gone = process == NULL;
  if (process == NULL) return;
  safe__win_process_name(process, actor->name, sizeof(actor->name));
  actor->parent = safe__win_process_parent(&question->all, process);
  actor->state = safe__win_process_state(&question->all, question->pid, &denied);
  if (denied)
    safe__scene_unknown(&question->found, "This user may not look into %s[%lld]: whether it was ended is not known.",
                        actor->name, (long long)question->pid);
  want_by_state(question, actor->state);
  if (question->found.want_count > 0) return;
  if (question->pid == safe__os_self()) look_at_own_locks(question);
  look_at_threads(question, process, actor);
}

static void look_at_children(struct question *question) {
  const struct safe__win_process *at = NULL;
  struct safe__actor *actor;

  while ((at = safe__win_processes_next(&question->all, at)) != NULL) {
    if (safe__win_process_parent(&question->all, at) != question->pid) continue;
    actor = safe__scene_actor(&question->found, (int64_t)(intptr_t)at->pid);
    if (actor == NULL) return;
    actor->parent = question->pid;
    safe__win_process_name(at, actor->name, sizeof(actor->name));
  }
}

/* ---- The task. */

static void run(struct safe__win_task *task) {
  struct question *question = (struct question *)task;

  if (question->all.bytes == NULL) question->status = safe__win_processes_take(&question->all);
  if (question->all.bytes != NULL) question->work(question);
  safe__win_task_deliver(task);
}

static void free_question(struct safe__win_task *task) {
  struct question *question = (struct question *)task;

  safe__win_processes_free(&question->all);
  safe__scene_free(&question->found);
  safe__free(question);
}

static void merge_want(struct safe__scene *scene, const struct safe__scene *found, const struct safe__want *from) {
  const struct safe__object *object = from->object < 0 ? NULL : &found->objects[from->object];
  int32_t index = object == NULL ? -1 : safe__scene_object(scene, object->kind, &object->id, object->name);
  struct safe__want *want;

  if (object != NULL && index < 0) return;
  want = safe__scene_want(scene, from->pid, from->thread, from->waits);
  if (want == NULL) return;
  *want = *from;
  want->object = index;
}

/* What is known of an actor already is more than what is found out of him as somebody's child. */
static void merge(struct safe__scene *scene, const struct safe__scene *found, bool anew) {
  struct safe__actor *actor;
  size_t at;

  for (at = 0; at < found->actor_count; at++) {
    actor = safe__scene_actor(scene, found->actors[at].pid);
    if (actor != NULL && (anew || actor->name[0] == '\0')) *actor = found->actors[at];
  }
  for (at = 0; at < found->want_count; at++) merge_want(scene, found, &found->wants[at]);
  for (at = 0; at < found->unknown_count; at++) safe__scene_unknown(scene, "%s", found->unknown[at]);
  scene->no_memory |= found->no_memory;
}

static void hand_over(struct safe__scene *scene, struct safe__look *look, struct question *question) {
  look->all = question->all;
  question->all.bytes = NULL;
  merge(scene, &question->found, question->work == look_at_process);
}

static void say_hidden(struct safe__scene *scene, int64_t pid, const char *why) {
  struct safe__actor *actor = safe__scene_actor(scene, pid);

  if (actor != NULL) actor->hidden = true;
  safe__scene_unknown(scene, "Process %lld could not be looked at: %s", (long long)pid, why);
}

/* The list of a question that is left behind is left with it, and made anew for the next one. */
static void put(struct safe__scene *scene, struct safe__look *look, struct question *question, int64_t deadline) {
  safe_error error;
  int code;

  safe__error_clear(&error);
  question->task.run = run;
  question->task.look = true;
  question->task.free = free_question;
  question->deadline = deadline;
  question->asker = GetCurrentThreadId();
  question->all = look->all;
  look->all.bytes = NULL;
  safe__scene_init(&question->found);
  code = safe__win_task_start(&question->task, SAFE_STAGE_INSPECT, &error);
  if (code == SAFE_OK && safe__win_task_wait(&question->task, deadline, 0) != SAFE_OK) {
    say_hidden(scene, question->pid, "the system did not answer in time.");
    return;
  }
  if (code == SAFE_OK && question->task.failure != 0)
    code = safe__fail_os(&error, question->task.failure, SAFE_STAGE_INSPECT, -1, "the question could not be put");
  if (question->status == SAFE__STATUS_NO_MEMORY) scene->no_memory = true;
  if (code == SAFE_OK && question->status < 0)
    code = safe__fail(&error, SAFE_ENOTSUP, SAFE_STAGE_INSPECT, -1,
                      "the system did not list its processes (status 0x%08lx).", (unsigned long)question->status);
  if (code == SAFE_OK)
    hand_over(scene, look, question);
  else
    say_hidden(scene, question->pid, error.message);
  free_question(&question->task);
}

static void ask(struct safe__scene *scene, int64_t pid, int64_t deadline, void (*work)(struct question *question)) {
  struct safe__look *look = safe__win_look(scene);
  struct question *question = look == NULL ? NULL : safe__alloc(sizeof(*question));

  if (question == NULL) {
    scene->no_memory = true;
    return;
  }
  question->pid = pid;
  question->work = work;
  put(scene, look, question, deadline);
}

void safe__os_look_process(struct safe__scene *scene, int64_t pid, int64_t deadline) {
  ask(scene, pid, deadline, look_at_process);
}

void safe__os_look_children(struct safe__scene *scene, int64_t pid, int64_t deadline) {
  ask(scene, pid, deadline, look_at_children);
}
