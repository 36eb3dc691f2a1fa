/* SPDX-License-Identifier: MIT */
/* A process as /proc shows it: its state, its threads, and its children. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "in_exec.h"
#include "look.h"

#define MOST_THREADS 64
#define KERNEL_THREAD 0x00200000u /* PF_KTHREAD */

/* A helper, or a guard: what it does it does for its parent, whose waitpid(2) does not see it. */
static bool is_helper(const struct safe__proc_stat *stat) { return stat->exit_signal == 0; }

static bool has_ended(char state) { return state == 'Z' || state == 'X'; }

void safe__look_channel(int64_t pid, int64_t thread, char *channel, size_t size) {
  channel[0] = '\0';
  if (safe__is_in_exec(pid)) return;
  safe__proc_read(pid, thread, "wchan", channel, size);
  channel[strcspn(channel, ".\n")] = '\0'; /* the compiler's ".constprop.0" */
  if (strcmp(channel, "0") == 0) channel[0] = '\0';
}

/* ---- Threads. */

struct thread {
  int64_t number;
  char state;
};

/* Living ones, at most room of them; how many there are. */
static size_t list_threads(int64_t pid, struct thread *threads, size_t room) {
  struct safe__proc_stat stat;
  size_t count = 0;
  int64_t number;
  char path[64];
  DIR *folder;

  snprintf(path, sizeof(path), "/proc/%lld/task", (long long)pid);
  folder = opendir(path);
  while (folder != NULL && !safe__is_in_exec(pid) && (number = safe__proc_next(folder)) != 0) {
    if (!safe__proc_thread_stat(pid, number, &stat) || has_ended(stat.state)) continue;
    if (count < room) threads[count] = (struct thread){number, stat.state};
    count++;
  }
  if (folder != NULL) closedir(folder);
  return count;
}

/* ---- The actor. */

bool safe__look_actor(struct safe__actor *actor) {
  struct safe__proc_stat stat;
  struct thread living;

  actor->gone = !safe__calm_stat(actor->pid, &stat) || stat.state == 'X';
  if (actor->gone) return false;
  actor->parent = stat.parent;
  memcpy(actor->name, stat.name, sizeof(actor->name));
  actor->state = stat.state;
  safe__look_channel(actor->pid, actor->pid, actor->channel, sizeof(actor->channel));
  /* The first thread may end before the others: then it is no zombie, though it looks like one. */
  if (stat.state == 'Z' && stat.threads > 1 && list_threads(actor->pid, &living, 1) > 0) {
    actor->state = living.state;
    safe__look_channel(actor->pid, living.number, actor->channel, sizeof(actor->channel));
  }
  return true;
}

static int64_t tracer_of(int64_t pid, int64_t thread) {
  char text[4096];
  const char *at;

  if (safe__proc_read(pid, thread, "status", text, sizeof(text)) <= 0) return 0;
  at = strstr(text, "\nTracerPid:");
  return at == NULL ? 0 : strtoll(strchr(at, ':') + 1, NULL, 10);
}

static void want_reaping(struct safe__looker *looker, int64_t parent) {
  struct safe__want *want = safe__look_want(looker, SAFE_WAITS_REAPING);
  int64_t tracer = tracer_of(looker->pid, looker->pid);

  /* Who traces it is told of its end first. */
  if (want != NULL) want->other = tracer > 0 ? tracer : parent;
}

/* ---- What a thread wants, by its state. */

struct safe__want *safe__look_want(const struct safe__looker *looker, int32_t waits) {
  struct safe__want *want = safe__scene_want(looker->scene, looker->pid, looker->thread, waits);

  if (want == NULL) return NULL;
  want->since_ms = looker->since_ms;
  want->stamp = looker->stamp;
  safe__look_mark(looker, want);
  return want;
}

struct safe__want *safe__look_other(const struct safe__looker *looker, const char *text, int64_t limit_ms) {
  struct safe__want *want = safe__look_want(looker, SAFE_WAITS_OTHER);

  if (want == NULL) return NULL;
  snprintf(want->what, sizeof(want->what), "%s", text != NULL ? text : looker->channel);
  want->limit_ms = limit_ms;
  return want;
}

static void want_kernel(struct safe__looker *looker) {
  struct safe__want *want = safe__look_want(looker, SAFE_WAITS_KERNEL);

  if (want == NULL) return;
  snprintf(want->what, sizeof(want->what), "%s", looker->channel);
  want->brief = safe__look_is_brief(looker->since_ms);
}

/* A frozen cgroup: version 1 has its processes in uninterruptible sleep; version 2 in one that looks like any other,
   but for its place, which the compiler may have made a part of get_signal: there only the stopped sleep otherwise. */
static bool is_frozen(const struct safe__looker *looker) {
  static const char *const places[] = {"do_freezer_trap", "get_signal", "__refrigerator"};
  size_t at;

  for (at = 0; at < sizeof(places) / sizeof(places[0]); at++)
    if (strcmp(looker->channel, places[at]) == 0) return true;
  return false;
}

static void want_continue(struct safe__looker *looker, const char *what) {
  struct safe__want *want = safe__look_want(looker, SAFE_WAITS_CONTINUE);

  if (want != NULL) snprintf(want->what, sizeof(want->what), "%s", what);
}

/* The parent of a vfork sleeps uninterruptibly until its child has called exec, or ended: the one made last. */
static void want_vforked(struct safe__looker *looker) {
  int64_t children[256];
  size_t count = safe__look_children_of(looker->pid, looker->thread, children, 256);
  struct safe__want *want = safe__look_want(looker, SAFE_WAITS_CHILD);

  if (want == NULL) return;
  want->other = count > 0 && count <= 256 ? children[count - 1] : SAFE__ANY_CHILD;
  want->alarmed = false; /* no signal gets there */
  snprintf(want->what, sizeof(want->what), "vfork: until it has called exec");
}

/* kernel_clone, or _do_fork before Linux 5.10, is also where it sleeps while it copies; but that is over soon. */
static bool may_be_vfork(const struct safe__looker *looker) {
  return looker->channel[0] == '\0' || strcmp(looker->channel, "kernel_clone") == 0 ||
         strcmp(looker->channel, "_do_fork") == 0 || strcmp(looker->channel, "wait_for_vfork_done") == 0;
}

static void look_at_uninterruptible(struct safe__looker *looker) {
  int os_code;

  if (is_frozen(looker)) {
    want_continue(looker, "its cgroup is frozen");
    return;
  }
  if (may_be_vfork(looker) && safe__look_call(looker, &os_code) && safe__look_is_vfork(looker)) {
    want_vforked(looker);
    return;
  }
  switch (safe__look_stuck(looker->scene, looker->pid, looker->thread, looker->deadline)) {
  case SAFE__STUCK:
    want_kernel(looker);
    break;
  case SAFE__PASSING:
    safe__look_want(looker, SAFE_WAITS_NOT);
    break;
  default:
    safe__look_other(looker, NULL, -1);
    safe__scene_unknown(looker->scene, "There was no time to see whether process %lld stays where it is in the kernel.",
                        (long long)looker->pid);
  }
}

/* ---- Helpers that wait for a lock in a thread's stead (wait_helper.h). */

/* The want of the thread that means its helper: a futex, or the socket. */
static struct safe__want *find_stand_in(struct safe__scene *scene, size_t first, int64_t thread) {
  size_t at;

  for (at = first; at < scene->want_count; at++) {
    struct safe__want *want = &scene->wants[at];
    if (want->thread != thread || want->waits != SAFE_WAITS_OTHER) continue;
    if (strstr(want->what, "futex") != NULL || strcmp(want->what, "a socket") == 0) return want;
  }
  return NULL;
}

/* The helper's want becomes the thread's own. */
static void adopt_want(struct safe__scene *scene, size_t first, int64_t thread, size_t asked) {
  struct safe__want *stand_in = find_stand_in(scene, first, thread), lock = scene->wants[asked];

  if (stand_in == NULL || stand_in >= &scene->wants[asked]) {
    scene->want_count = asked; /* the thread does something else meanwhile, and will see to it later */
    return;
  }
  lock.limit_ms = stand_in->limit_ms;
  lock.handle = -1; /* its number is the helper's */
  *stand_in = lock;
  scene->want_count = asked;
}

static void look_at_helpers(struct safe__looker *looker, size_t first) {
  struct safe__looker helper = *looker;
  struct safe__proc_stat stat;
  int64_t children[256];
  size_t at, asked, count = safe__look_children_of(looker->pid, looker->thread, children, 256);
  int os_code;

  for (at = 0; at < count && at < 256; at++) {
    if (!safe__calm_stat(children[at], &stat) || !is_helper(&stat) || stat.state != 'S') continue;
    helper.from = helper.task = children[at];
    if (!safe__look_call(&helper, &os_code) || !safe__look_asks_for_lock(&helper)) continue;
    asked = looker->scene->want_count;
    helper.since_ms = safe__asleep_since(helper.from, helper.task);
    safe__look_wait(&helper);
    if (looker->scene->want_count > asked) adopt_want(looker->scene, first, looker->thread, asked);
  }
}

/* ---- All of it. */

static void hide(struct safe__looker *looker) {
  struct safe__actor *actor = safe__scene_find_actor(looker->scene, looker->pid);

  if (actor == NULL) return;
  actor->hidden = true;
  safe__scene_unknown(looker->scene, "This user may not see what process %lld (%s) waits for.", (long long)actor->pid,
                      actor->name);
}

static void look_at_sleeper(struct safe__looker *looker) {
  size_t first = looker->scene->want_count;
  int os_code = 0;

  if (is_frozen(looker)) {
    want_continue(looker, "its cgroup is frozen");
  } else if (safe__look_call(looker, &os_code)) {
    safe__look_wait(looker);
    if (find_stand_in(looker->scene, first, looker->thread) != NULL) look_at_helpers(looker, first);
  } else if (os_code == ESRCH || os_code == ENOENT) {
    return; /* it has ended meanwhile */
  } else if (os_code == EAGAIN) {
    safe__look_want(looker, SAFE_WAITS_NOT);
  } else {
    if (os_code == EPERM || os_code == EACCES) hide(looker);
    if (os_code == ETIMEDOUT)
      safe__scene_unknown(looker->scene, "Process %lld does not let itself be looked at: it hangs in exec.",
                          (long long)looker->pid);
    looker->call = -1;
    safe__look_wait(looker);
  }
}

static void look_at_thread(struct safe__looker *looker, const struct thread *thread, bool kernel) {
  struct safe__want *want;

  looker->thread = looker->task = thread->number;
  looker->stamp = safe__look_switches(looker->pid, looker->thread);
  looker->since_ms = safe__asleep_since(looker->pid, looker->thread);
  safe__look_channel(looker->pid, looker->thread, looker->channel, sizeof(looker->channel));
  if (thread->state == 'R') {
    safe__look_want(looker, SAFE_WAITS_NOT);
  } else if (thread->state == 'T') {
    want_continue(looker, "");
  } else if (thread->state == 't') {
    want = safe__look_want(looker, SAFE_WAITS_DEBUGGER);
    if (want != NULL) want->other = tracer_of(looker->pid, looker->thread);
  } else if (thread->state == 'D') {
    look_at_uninterruptible(looker);
  } else if (kernel) {
    safe__look_other(looker, NULL, -1);
  } else {
    look_at_sleeper(looker);
  }
}

static bool all_stopped(const struct thread *threads, size_t count) {
  size_t at;

  for (at = 0; at < count; at++)
    if (threads[at].state != 'T') return false;
  return count > 0;
}

/* It may have fallen asleep since the actor was looked at. */
static void take_state(struct safe__looker *looker, const struct thread *first) {
  struct safe__actor *actor = safe__scene_find_actor(looker->scene, looker->pid);

  if (actor == NULL || actor->state == first->state) return;
  actor->state = first->state;
  safe__look_channel(looker->pid, first->number, actor->channel, sizeof(actor->channel));
}

/* Threads that were not looked at may be any of those that can go on: one stands for all of them. */
static void want_unseen(struct safe__looker *looker, const struct thread *thread) {
  looker->thread = thread->number;
  looker->since_ms = 0;
  looker->stamp = -1;
  safe__look_other(looker, "something that was not looked at", -1);
}

static void look_at_threads(struct safe__looker *looker, bool kernel) {
  struct thread threads[MOST_THREADS + 1];
  size_t at, count = list_threads(looker->pid, threads, MOST_THREADS + 1), most = count;

  if (count == 0) return; /* it has ended meanwhile */
  if (count > MOST_THREADS) {
    safe__scene_unknown(looker->scene, "Of the %zu threads of process %lld only %d were looked at.", count,
                        (long long)looker->pid, MOST_THREADS);
    count = MOST_THREADS;
    most = MOST_THREADS + 1;
  }
  take_state(looker, &threads[0]);
  if (all_stopped(threads, most)) {
    looker->since_ms = safe__asleep_since(looker->pid, threads[0].number);
    looker->stamp = -1; /* it is seen anew by its state alone */
    want_continue(looker, "");
    return;
  }
  for (at = 0; at < count; at++) {
    if (safe__os_now() >= looker->deadline) {
      safe__scene_unknown(looker->scene, "The time for looking was over before all threads of process %lld were seen.",
                          (long long)looker->pid);
      break;
    }
    look_at_thread(looker, &threads[at], kernel);
  }
  if (at < most) want_unseen(looker, &threads[at]);
}

#define EXEC_MS 50

bool safe__look_past_exec(int64_t pid, int64_t deadline) {
  int64_t until = safe__deadline_min(deadline, safe__deadline(EXEC_MS));

  while (safe__is_in_exec(pid)) {
    if (safe__os_now() >= until) return false;
    safe__os_sleep(safe__deadline_min(until, safe__deadline(1)), NULL, false);
  }
  return true;
}

static void want_end_of_exec(struct safe__looker *looker) {
  struct safe__want *want;

  looker->thread = looker->pid;
  looker->since_ms = safe__asleep_since(looker->pid, looker->pid);
  want = safe__look_want(looker, SAFE_WAITS_KERNEL);
  if (want != NULL) snprintf(want->what, sizeof(want->what), "exec, which closes its files");
}

/* Those of another user, and of one that has more rights than we. */
static bool has_hidden_descriptors(int64_t pid) {
  char path[64];
  DIR *folder;

  snprintf(path, sizeof(path), "/proc/%lld/fd", (long long)pid);
  folder = opendir(path);
  if (folder == NULL) return errno == EACCES || errno == EPERM;
  closedir(folder);
  return false;
}

void safe__os_look_process(struct safe__scene *scene, int64_t pid, int64_t deadline) {
  struct safe__actor *actor = safe__scene_actor(scene, pid);
  struct safe__looker looker = {.scene = scene, .deadline = deadline, .pid = pid, .from = pid, .stamp = -1};
  struct safe__proc_stat stat;
  struct safe__peek peek;

  if (actor == NULL || !safe__look_actor(actor) || !safe__calm_stat(pid, &stat)) return;
  if (!safe__look_past_exec(pid, deadline)) {
    want_end_of_exec(&looker);
    return;
  }
  safe__look_signals(&looker);
  safe__peek_begin(&peek, deadline);
  looker.peek = &peek;
  if (actor->state == 'Z') {
    looker.since_ms = safe__asleep_since(pid, pid);
    want_reaping(&looker, actor->parent);
  } else {
    if (has_hidden_descriptors(pid)) hide(&looker);
    look_at_threads(&looker, (stat.flags & KERNEL_THREAD) != 0);
  }
  safe__peek_end(&peek);
}
