/* SPDX-License-Identifier: MIT */
/* What posix_spawn is given, and what its answer means. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"

struct attributes {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
};

static int fail(struct safe__launch *launch, int stage, int index, int os_code) {
  launch->report.stage = stage;
  launch->report.index = index;
  launch->report.os_code = os_code;
  return os_code;
}

/* ---- The attributes. */

#define ALWAYS \
  (POSIX_SPAWN_CLOEXEC_DEFAULT | POSIX_SPAWN_START_SUSPENDED | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)

/* Those that become default: handled ones do so by themselves, ignored ones must be named. */
static sigset_t default_signals(bool keep_ignored) {
  struct sigaction action;
  sigset_t set;
  int number;

  sigfillset(&set);
  for (number = 1; keep_ignored && number < NSIG; number++)
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) sigdelset(&set, number);
  return set;
}

/* The trampoline makes its group or session itself, before it takes a terminal. */
static int set_attributes(const struct safe__launch *launch, posix_spawnattr_t *attributes) {
  const struct safe__plan *plan = launch->plan;
  sigset_t set = default_signals((plan->flags & SAFE_SPAWN_KEEP_IGNORED) != 0);
  int os_code, flags = ALWAYS, group = launch->arguments != NULL ? SAFE_GROUP_HOST : plan->group;

  if (group == SAFE_GROUP_NEW) flags |= POSIX_SPAWN_SETPGROUP; /* to 0, a group of its own, unless told otherwise */
  if (group == SAFE_GROUP_SESSION) flags |= POSIX_SPAWN_SETSID;
  os_code = posix_spawnattr_setflags(attributes, (short)flags);
  if (os_code == 0) os_code = posix_spawnattr_setsigdefault(attributes, &set);
  sigemptyset(&set);
  if (os_code == 0) os_code = posix_spawnattr_setsigmask(attributes, &set);
  return os_code;
}

/* ---- The files. */

/* The one place where the thread may be cancelled: a FIFO without a writer, or a file server, can be waited for longer
   than the caller has time. */
static int open_cancellably(const struct safe__move *move) {
  int fd, saved, ignored;

  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &ignored);
  fd = open(move->path, move->open_flags, (mode_t)move->mode);
  saved = errno;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);
  errno = saved;
  return fd;
}

/* By us, and not by an action of posix_spawn, which would not tell which one failed. */
static int open_paths(struct safe__launch *launch) {
  const struct safe__move *move;
  int at, fd;

  for (at = 0; at < 3; at++) {
    move = &launch->plan->moves[at];
    if (move->path == NULL) continue;
    fd = open_cancellably(move);
    if (fd < 0) return fail(launch, move->stage, move->index, errno);
    launch->sources[at] = fcntl(fd, F_DUPFD_CLOEXEC, launch->least);
    if (launch->sources[at] < 0) fail(launch, move->stage, move->index, errno == EINVAL ? EMFILE : errno);
    close(fd);
    if (launch->sources[at] < 0) return launch->report.os_code;
  }
  return 0;
}

static int source_of(const struct safe__launch *launch, int at) {
  return launch->plan->moves[at].open_flags == SAFE__LIKE_OUT ? launch->sources[1] : launch->sources[at];
}

/* posix_spawn tells what went wrong, but not with which action: what can be wrong with one is found out here. */
static int add_actions(struct safe__launch *launch, posix_spawn_file_actions_t *actions) {
  const struct safe__move *move;
  int at, source, os_code;

  for (at = 0; at < launch->plan->move_count; at++) {
    move = &launch->plan->moves[at];
    source = source_of(launch, at);
    if (source < 0) continue; /* the trampoline's to open */
    os_code = posix_spawn_file_actions_adddup2(actions, source, move->target);
    /* EBADF: it takes no number from OPEN_MAX (10240) on, whatever the limit of the process. */
    if (os_code != 0) return fail(launch, move->stage, move->index, os_code == EBADF ? EMFILE : os_code);
  }
  if (launch->arguments != NULL)
    os_code = posix_spawn_file_actions_adddup2(actions, launch->error_source, launch->error_target);
  else if (launch->plan->cwd != NULL)
    os_code = posix_spawn_file_actions_addchdir_np(actions, launch->plan->cwd);
  else
    os_code = 0;
  return os_code == 0 ? 0 : fail(launch, SAFE_STAGE_PREPARE, -1, os_code);
}

/* ---- The call. */

/* Why the child could not have changed to the folder, as far as can be seen; 0: it could. */
static int folder_problem(const char *path) {
  struct stat status;

  if (path == NULL) return 0;
  if (stat(path, &status) != 0) return errno;
  if (!S_ISDIR(status.st_mode)) return ENOTDIR;
  return access(path, X_OK) == 0 ? 0 : errno;
}

static int explain(struct safe__launch *launch, int candidate, int os_code) {
  const struct safe__plan *plan = launch->plan;
  const struct safe__move *last = &plan->moves[plan->move_count - 1];
  int problem = folder_problem(plan->cwd);

  if (problem != 0) return fail(launch, SAFE_STAGE_CWD, -1, problem);
  /* The sources are good, so it must be a target, and if one is too large, then the largest: the last one. */
  if (os_code == EBADF) return fail(launch, last->stage, last->index, os_code);
  if (os_code == EAGAIN) return fail(launch, SAFE_STAGE_CREATE, -1, os_code);
  return fail(launch, SAFE_STAGE_EXEC, candidate, os_code);
}

/* The first candidate that exists decides, but for one that may not be executed: PATH may have a better one. */
static int try_candidates(struct safe__launch *launch, struct attributes *how) {
  const struct safe__plan *plan = launch->plan;
  int at, refused = -1, os_code = ENOENT;

  for (at = 0; plan->candidates[at] != NULL; at++) {
    os_code = posix_spawn(&launch->pid, plan->candidates[at], &how->actions, &how->attributes, plan->argv, plan->envp);
    if (os_code == 0) return 0;
    if (os_code == EACCES && refused < 0) refused = at;
    if (os_code != ENOENT && os_code != ENOTDIR && os_code != EACCES) return explain(launch, at, os_code);
  }
  return refused >= 0 ? explain(launch, refused, EACCES) : explain(launch, at - 1, os_code);
}

static int call_trampoline(struct safe__launch *launch, struct attributes *how) {
  static char *const no_environment[] = {NULL}; /* see trampoline_order.c */
  int os_code =
    posix_spawn(&launch->pid, launch->trampoline, &how->actions, &how->attributes, launch->arguments, no_environment);

  if (os_code == 0) return 0;
  if (os_code == EAGAIN) return fail(launch, SAFE_STAGE_CREATE, -1, os_code);
  if (os_code == E2BIG) return fail(launch, SAFE_STAGE_EXEC, 0, os_code);
  return fail(launch, SAFE_STAGE_PREPARE, -1, os_code);
}

static int call(struct safe__launch *launch) {
  struct attributes how;
  int os_code = posix_spawnattr_init(&how.attributes);

  if (os_code != 0) return fail(launch, SAFE_STAGE_PREPARE, -1, os_code);
  os_code = posix_spawn_file_actions_init(&how.actions);
  if (os_code != 0) {
    posix_spawnattr_destroy(&how.attributes);
    return fail(launch, SAFE_STAGE_PREPARE, -1, os_code);
  }
  os_code = set_attributes(launch, &how.attributes);
  if (os_code != 0) fail(launch, SAFE_STAGE_PREPARE, -1, os_code);
  if (os_code == 0) os_code = add_actions(launch, &how.actions);
  if (os_code == 0) os_code = launch->arguments != NULL ? call_trampoline(launch, &how) : try_candidates(launch, &how);
  posix_spawn_file_actions_destroy(&how.actions);
  posix_spawnattr_destroy(&how.attributes);
  return os_code;
}

/* The child is suspended, and has not executed one instruction. */
static int set_niceness(struct safe__launch *launch) {
  int found;

  errno = 0;
  found = getpriority(PRIO_PROCESS, 0); /* -1 is no error: errno tells */
  if (found != -1 || errno == 0)
    if (setpriority(PRIO_PROCESS, (id_t)launch->pid, found + launch->plan->nice) == 0) return 0;
  return fail(launch, SAFE_STAGE_NICE, -1, errno);
}

int safe__launch_call(struct safe__launch *launch) {
  int os_code = launch->arguments != NULL ? 0 : open_paths(launch);

  if (os_code == 0) os_code = call(launch);
  if (os_code != 0 || launch->arguments != NULL || launch->plan->nice == 0) return os_code;
  return set_niceness(launch);
}
