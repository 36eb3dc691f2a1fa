/* SPDX-License-Identifier: MIT */
/*
 * What runs in the guard process: on the memory and the thread-local storage of the thread that made it, with all
 * signals blocked, and so with raw calls only.
 *
 * It reaps whatever ends below it but the child itself, whose number stays its own until the host lets go of it; and
 * only the guard reaps, so that the number of a child of its own cannot mean a stranger's while it looks at it.
 */
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "child_calls.h"
#include "in_exec.h"
#include "tree.h"

#define SIGSET_BYTES 8 /* see kernel.c */

struct post { /* where the guard stands */
  struct safe__guard *guard;
  struct safe__guard_record *record;
  long self, child;
  int pipe;
  struct pollfd watched[3];
  bool released;     /* the host has let go of the child */
  bool host_gone;    /* and the tree is to go with it */
  bool empty;        /* there is nobody left to reap */
  bool child_reaped; /* its number may be a stranger's */
  int unseen;        /* how often somebody may have ended beside the child's zombie, and was not looked for */
};

enum { PIPE = 0, SIGNALS = 1, HOST = 2 };

static long guard_wait(int type, long pid, siginfo_t *info, int options, struct safe__usage *used) {
  info->si_pid = 0;
  return safe__raw6(SYS_waitid, type, pid, (long)info, options | WEXITED | WNOHANG | __WALL, (long)used, 0);
}

/* ---- Coming to be. */

static void tell(int *word, int value) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
  safe__raw6(SYS_futex, (long)word, FUTEX_WAKE, INT32_MAX, 0, 0, 0);
}

static int fails(struct safe__guard_record *record, int stage, long result) {
  record->stage = stage;
  tell(&record->child, (int)result);
  return 0;
}

/* Ignored, it would take the child's status away. What else the host ignores has to stay until the child is made, which
   may be to keep it. */
static void default_child_signal(struct safe__tree *tree) {
  static const uint64_t no_action[8];

  tree->start.ignores_children = (tree->start.plan->flags & SAFE_SPAWN_KEEP_IGNORED) != 0 && child_is_ignored(SIGCHLD);
  safe__raw6(SYS_rt_sigaction, SIGCHLD, (long)no_action, 0, SIGSET_BYTES, 0, 0);
}

/* The child's table is a copy of ours, which has nothing in it by then but what is listed for it. */
static long make_child(struct safe__guard *guard) {
  struct safe__tree *tree = guard->tree;
  struct safe__shared_stack *stack = guard->child_stack;
  unsigned long flags = SIGCHLD | (stack != NULL ? CLONE_VM | CLONE_CHILD_CLEARTID : 0);
  int folder = -1;
  long pid;

  if (tree->cgroup.path != NULL)
    folder = (int)safe__raw6(SYS_openat, AT_FDCWD, (long)tree->cgroup.path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);
  if (stack != NULL) stack->word = 1;
  pid = safe__start_child(flags, stack != NULL ? stack->top : NULL, NULL, stack != NULL ? &stack->word : NULL,
                          tree->start.plan, tree, folder);
  if (stack != NULL && pid < 0) stack->word = 0;
  if (folder >= 0) child_close_one(folder);
  return pid;
}

/* Out of the host's group, which somebody may kill as a whole, but not out of its session: for the child's group a
   parent in another session would be none, and job control would be off. */
static void step_aside(const struct post *post) {
  int pipe = post->pipe;

  safe__raw6(SYS_setpgid, 0, 0, 0, 0, 0, 0);
  safe__raw6(SYS_prctl, PR_SET_NAME, (long)"safehold-guard", 0, 0, 0, 0);
  safe__raw6(SYS_chdir, (long)"/", 0, 0, 0, 0, 0); /* not to keep a mount busy */
  if (pipe > 0) child_close_range(0, (unsigned)pipe - 1);
  child_close_range((unsigned)pipe + 1, CHILD_LAST_DESCRIPTOR);
}

static void watch(struct post *post) {
  uint64_t mask = UINT64_C(1) << (SIGCHLD - 1);

  post->watched[PIPE].fd = post->pipe;
  post->watched[SIGNALS].fd =
    (int)safe__raw6(SYS_signalfd4, -1, (long)&mask, SIGSET_BYTES, SFD_NONBLOCK | SFD_CLOEXEC, 0, 0);
  post->watched[HOST].fd = post->guard->die ? safe__pidfd_open(post->guard->host) : -1;
  post->watched[PIPE].events = post->watched[SIGNALS].events = post->watched[HOST].events = POLLIN;
}

/* ---- Reaping. */

/* The zombie stays: with it the number is the child's own. */
static void note_end(struct post *post) {
  struct safe__guard_record *record = post->record;
  siginfo_t info;

  if (record->ended != 0 || guard_wait(P_PID, post->child, &info, WNOWAIT, &record->used) != 0 || info.si_pid == 0)
    return;
  record->code = info.si_code;
  record->status = info.si_status;
  tell(&record->ended, 1);
}

/* The child's zombie is the first that waitid finds, always: beside it the others are looked for one by one. As that
   costs more than all the rest, and mostly there is nobody, it is done a second later, or when there may be many. */
#define UNSEEN_MS 1000
#define MOST_UNSEEN 32

static void reap_beside_child(struct post *post) {
  struct safe__proc_stat stat;
  struct safe__proc_walk walk;
  siginfo_t info;
  int64_t pid;

  post->unseen = 0;
  safe__proc_open(&walk);
  while ((pid = safe__proc_walk_next(&walk)) != 0)
    if (pid != post->child && safe__calm_stat(pid, &stat) && stat.parent == post->self && stat.state == 'Z')
      guard_wait(P_PID, pid, &info, 0, NULL);
  safe__proc_close(&walk);
}

static void reap(struct post *post) {
  bool all = post->released || post->host_gone;
  siginfo_t info;
  long code;

  note_end(post);
  while ((code = guard_wait(P_ALL, 0, &info, all ? 0 : WNOWAIT, NULL)) == 0 && info.si_pid != 0) {
    if (all && info.si_pid == post->child) post->child_reaped = true;
    if (all) continue;
    if (info.si_pid == post->child) {
      note_end(post);
      if (post->record->adopts && ++post->unseen >= MOST_UNSEEN) reap_beside_child(post);
      return;
    }
    guard_wait(P_PID, info.si_pid, &info, 0, NULL);
  }
  post->empty = code == -ECHILD;
}

/* ---- Ending what the host has left. */

#define DEEPEST 4096 /* against a loop, which reading numbers that are given away meanwhile could show */

static bool is_below(const struct post *post, const struct safe__proc_stat *of) {
  struct safe__proc_stat stat;
  int64_t parent = of->parent;
  int depth;

  for (depth = 0; depth < DEEPEST && parent > 1 && parent != post->self; depth++) {
    if (!safe__calm_stat(parent, &stat)) return false;
    parent = stat.parent;
  }
  return parent == post->self;
}

/* By a pidfd, and only if it still is below us once that is open. A child of our own nobody but we can reap. */
static void kill_one(const struct post *post, int64_t pid) {
  struct safe__proc_stat stat;
  int pidfd;

  if (!safe__calm_stat(pid, &stat) || !is_below(post, &stat)) return;
  if (stat.parent == post->self) {
    safe__kernel.kill(-1, pid, SIGKILL);
    return;
  }
  pidfd = safe__pidfd_open(pid);
  if (pidfd < 0) return; /* it comes to us when its parent has ended */
  if (safe__calm_stat(pid, &stat) && is_below(post, &stat)) safe__kernel.signal(pidfd, SIGKILL);
  child_close_one(pidfd);
}

static void kill_all(const struct post *post) {
  struct safe__proc_walk walk;
  int64_t pid;

  safe__proc_open(&walk);
  while ((pid = safe__proc_walk_next(&walk)) != 0)
    if (pid != post->self) kill_one(post, pid);
  safe__proc_close(&walk);
}

static int open_folder(const struct post *post) {
  const char *path = post->guard->tree->cgroup.path;
  long fd =
    path == NULL ? -1 : safe__raw6(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);

  return fd < 0 ? -1 : (int)fd;
}

/* The child first, and its group while its number is still its own. Returns whether the kernel has killed all in the
   cgroup, so that it will be empty. */
static bool end_tree(struct post *post) {
  bool cgroup_killed = false;
  int folder;

  if (!post->child_reaped) {
    if (post->guard->own_group) safe__raw6(SYS_kill, -post->child, SIGKILL, 0, 0, 0, 0);
    safe__kernel.kill(-1, post->child, SIGKILL);
  }
  folder = open_folder(post);
  if (folder >= 0) {
    cgroup_killed = safe__kernel.kill_cgroup(folder) == 0;
    child_close_one(folder);
  }
  if (post->guard->whole) kill_all(post);
  return cgroup_killed;
}

static bool is_cgroup_empty(const struct post *post) {
  int folder = open_folder(post);
  bool empty = folder < 0 || safe__cgroup_empty(folder);

  if (folder >= 0) child_close_one(folder);
  return empty;
}

#define FIRST_PAUSE_MS 5
#define LAST_PAUSE_MS 1000 /* one that does not end though killed is waited for: it keeps us, and nothing else */

static void pause_ms(struct post *post, int64_t ms) {
  int64_t pause[2];  /* struct timespec of a 64-bit kernel */
  char drained[128]; /* struct signalfd_siginfo */

  pause[0] = ms / 1000;
  pause[1] = ms % 1000 * 1000000;
  safe__raw6(SYS_ppoll, (long)&post->watched[SIGNALS], 1, (long)pause, 0, 0, 0);
  while (safe__raw6(SYS_read, post->watched[SIGNALS].fd, (long)drained, sizeof(drained), 0, 0, 0) > 0) continue;
}

/* Who is in the cgroup need not be ours to reap: it may have joined, or we may not adopt (PR_SET_CHILD_SUBREAPER is
   refused by old emulators). While such a one is still on its way out, the cgroup can't be removed. */
static void end_all(struct post *post) {
  int64_t ms = FIRST_PAUSE_MS;

  for (;;) {
    bool cgroup_killed = end_tree(post);
    reap(post);
    if (post->empty && (!cgroup_killed || is_cgroup_empty(post))) return;
    pause_ms(post, ms);
    if (ms < LAST_PAUSE_MS) ms *= 2;
  }
}

/* ---- Standing guard. */

#define LOOK_AGAIN_MS 50 /* where there is no pidfd of the host (Linux before 5.3), or no descriptor to be had */

static void wait_for_news(struct post *post) {
  bool blind = post->watched[SIGNALS].fd < 0 || (post->guard->die && post->watched[HOST].fd < 0);
  long ms = blind ? LOOK_AGAIN_MS : UNSEEN_MS, count;
  int64_t step[2];

  step[0] = ms / 1000;
  step[1] = ms % 1000 * 1000000;
  post->watched[PIPE].revents = post->watched[HOST].revents = 0;
  count = safe__raw6(SYS_ppoll, (long)post->watched, 3, (long)(blind || post->unseen > 0 ? step : NULL), 0, 0, 0);
  if (count == 0 && post->unseen > 0) reap_beside_child(post);
  if (post->watched[PIPE].revents != 0) {
    post->released = true;
    post->watched[PIPE].fd = -1;
  }
  if (post->watched[SIGNALS].fd >= 0) pause_ms(post, 0); /* takes the signals out */
  if (post->guard->die)
    post->host_gone =
      post->watched[HOST].revents != 0 || safe__raw6(SYS_getppid, 0, 0, 0, 0, 0, 0) != post->guard->host;
}

static bool stays(const struct post *post) {
  return post->guard->die || __atomic_load_n(&post->record->unwanted, __ATOMIC_SEQ_CST) != 0;
}

static void stand(struct post *post) {
  for (;;) {
    if (post->host_gone) break; /* before the child is reaped, whose number its group is killed by */
    reap(post);
    /* Who does not end it with the host need not be there for a tree that nobody asks about. */
    if (post->released && (post->empty || !stays(post))) return;
    wait_for_news(post);
  }
  end_all(post);
  if (post->guard->tree->cgroup.path != NULL) safe__cgroup_remove(post->guard->tree->cgroup.path);
}

int safe__guard_serve(void *argument) {
  struct safe__guard *guard = argument;
  struct post post;
  long result;

  post.guard = guard;
  post.record = guard->record;
  post.pipe = guard->pipe[0]; /* of which the host forgets the number once it has closed its own */
  post.released = post.host_gone = post.empty = post.child_reaped = false;
  post.unseen = 0;
  post.self = safe__raw6(SYS_getpid, 0, 0, 0, 0, 0, 0);
  if (safe__raw6(SYS_getppid, 0, 0, 0, 0, 0, 0) != guard->host) return 0;
  if (guard->stack != NULL) {
    result = child_own_table(guard->tree->start.plan->highest + 1);
    if (result < 0) return fails(post.record, SAFE_STAGE_DESCRIPTORS, result);
  }
  default_child_signal(guard->tree);
  /* Not under qemu-user 7.2: then it is the child's parent and no more. */
  post.record->adopts = guard->whole && safe__raw6(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0) == 0;
  if (guard->die) guard->tree->start.parent = post.self;
  post.child = make_child(guard);
  if (post.child < 0) return fails(post.record, SAFE_STAGE_CREATE, post.child);
  tell(&post.record->child, (int)post.child);
  if (__atomic_load_n(&post.record->unwanted, __ATOMIC_SEQ_CST) != 0) safe__kernel.kill(-1, post.child, SIGKILL);
  child_default_signals(false);
  step_aside(&post);
  watch(&post);
  stand(&post);
  return 0;
}
