/* SPDX-License-Identifier: MIT */
/*
 * posix_spawn, the one way to make a process that a host with threads survives on macOS (a forked child finds the locks
 * of threads that did not come along, in the loader and in Apple's frameworks). It makes the process and loads the
 * program in one call, which may take as long as the file's server or the signature check takes: so it is made on a
 * thread that can be left behind, and that kills and reaps what comes of it too late.
 *
 * The child begins suspended, for two reasons. When it comes too late it has not executed one instruction. And its exit
 * is being watched before it can happen: where the host ignores SIGCHLD, a kqueue is all that ever tells of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exit_kqueue.h"
#include "helper.h"
#include "plan.h"

/* How much longer than the deadline a call that is already under way is waited for. */
#define GOING_MS 100

/* On the heap, as the thread may outlive the call; then the plan is its own too. */
struct launch {
  struct safe__helper helper;
  struct safe__plan *plan;
  int *sources; /* copies of the moves' sources, above every target: nothing is overwritten before its turn, and what
                   the caller closes, or opens under the same number, while the thread is late, makes no difference */
  int source_count;
  struct safe__child_report report;
  pid_t pid;
  int exit_fd;
};

struct attributes {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
};

static int fail(struct launch *launch, int stage, int index, int os_code) {
  launch->report.stage = stage;
  launch->report.index = index;
  launch->report.os_code = os_code;
  return os_code;
}

#define ALWAYS \
  (POSIX_SPAWN_CLOEXEC_DEFAULT | POSIX_SPAWN_START_SUSPENDED | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)

static int set_attributes(posix_spawnattr_t *attributes, int group) {
  int os_code, flags = ALWAYS;
  sigset_t set;

  if (group == SAFE_GROUP_NEW) flags |= POSIX_SPAWN_SETPGROUP; /* to 0, a group of its own, unless told otherwise */
  if (group == SAFE_GROUP_SESSION) flags |= POSIX_SPAWN_SETSID;
  os_code = posix_spawnattr_setflags(attributes, (short)flags);
  sigfillset(&set);
  if (os_code == 0) os_code = posix_spawnattr_setsigdefault(attributes, &set);
  sigemptyset(&set);
  if (os_code == 0) os_code = posix_spawnattr_setsigmask(attributes, &set);
  return os_code;
}

/* posix_spawn tells what went wrong, but not with which action: what can be wrong with one is found out here. */
static int add_actions(struct launch *launch, posix_spawn_file_actions_t *actions) {
  const struct safe__move *move;
  int at, os_code;

  for (at = 0; at < launch->plan->move_count; at++) {
    move = &launch->plan->moves[at];
    os_code = posix_spawn_file_actions_adddup2(actions, launch->sources[at], move->target);
    /* EBADF: it takes no number from OPEN_MAX (10240) on, whatever the limit of the process. */
    if (os_code != 0) return fail(launch, move->stage, move->index, os_code == EBADF ? EMFILE : os_code);
  }
  if (launch->plan->cwd == NULL) return 0;
  os_code = posix_spawn_file_actions_addchdir_np(actions, launch->plan->cwd);
  return os_code == 0 ? 0 : fail(launch, SAFE_STAGE_PREPARE, -1, os_code);
}

/* Why the child could not have changed to the folder, as far as can be seen; 0: it could. */
static int folder_problem(const char *path) {
  struct stat status;

  if (path == NULL) return 0;
  if (stat(path, &status) != 0) return errno;
  if (!S_ISDIR(status.st_mode)) return ENOTDIR;
  return access(path, X_OK) == 0 ? 0 : errno;
}

static int explain(struct launch *launch, int candidate, int os_code) {
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
static int try_candidates(struct launch *launch, struct attributes *how) {
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

static int make_child(struct launch *launch) {
  struct attributes how;
  int os_code = posix_spawnattr_init(&how.attributes);

  if (os_code != 0) return fail(launch, SAFE_STAGE_PREPARE, -1, os_code);
  os_code = posix_spawn_file_actions_init(&how.actions);
  if (os_code != 0) {
    posix_spawnattr_destroy(&how.attributes);
    return fail(launch, SAFE_STAGE_PREPARE, -1, os_code);
  }
  os_code = set_attributes(&how.attributes, launch->plan->group);
  if (os_code != 0) fail(launch, SAFE_STAGE_PREPARE, -1, os_code);
  if (os_code == 0) os_code = add_actions(launch, &how.actions);
  if (os_code == 0) os_code = try_candidates(launch, &how);
  posix_spawn_file_actions_destroy(&how.actions);
  posix_spawnattr_destroy(&how.attributes);
  return os_code;
}

/* Nobody waits for it any more. SIGCONT for kernels in which a suspended child does not see its SIGKILL. */
static void end_child(struct launch *launch) {
  kill(launch->pid, SIGKILL);
  kill(launch->pid, SIGCONT);
  while (waitpid(launch->pid, NULL, 0) < 0 && errno == EINTR) continue;
  if (launch->exit_fd >= 0) close(launch->exit_fd);
}

static void close_sources(struct launch *launch) {
  int at;

  for (at = 0; at < launch->source_count; at++) close(launch->sources[at]);
  launch->source_count = 0;
}

static void run(struct safe__helper *helper) {
  struct launch *launch = (struct launch *)helper;
  int os_code = make_child(launch);

  close_sources(launch); /* before anybody hears of the child: its pipes' ends are its own then */
  if (os_code == 0) launch->exit_fd = safe__watch_exit(launch->pid);
  if (!safe__helper_take(helper)) {
    if (os_code == 0) end_child(launch);
  } else if (os_code == 0) {
    kill(launch->pid, SIGCONT);
  }
}

static void free_launch(struct safe__helper *helper) {
  struct launch *launch = (struct launch *)helper;

  safe__free(launch->plan);
  safe__free(launch->sources);
  safe__free(launch);
}

static int copy_sources(struct launch *launch, safe_error *error) {
  const struct safe__plan *plan = launch->plan;
  const struct safe__move *move;
  int at, least = plan->moves[plan->move_count - 1].target + 1;

  for (at = 0; at < plan->move_count; at++) {
    move = &plan->moves[at];
    launch->sources[at] = fcntl(move->source, F_DUPFD_CLOEXEC, least);
    if (launch->sources[at] < 0) /* EINVAL: no number is left between the largest target and the limit */
      return safe__fail_os(error, errno == EINVAL ? EMFILE : errno, move->stage, move->index,
                           "Descriptor %d cannot be copied for the child", move->source);
    launch->source_count++;
  }
  return SAFE_OK;
}

static struct launch *make_launch(struct safe__plan *plan) {
  struct launch *launch = safe__alloc(sizeof(*launch));

  if (launch == NULL) return NULL;
  launch->sources = safe__alloc((size_t)plan->move_count * sizeof(*launch->sources));
  if (launch->sources == NULL) {
    safe__free(launch);
    return NULL;
  }
  launch->helper.run = run;
  launch->helper.free = free_launch;
  launch->plan = plan;
  launch->exit_fd = -1;
  return launch;
}

/* The caller's answer to what the thread has done in time. */
static int take_over(struct launch *launch, struct safe__child *child, safe_error *error) {
  int os_code = launch->report.os_code, code;

  if (launch->report.stage == SAFE_STAGE_NONE) {
    child->pid = launch->pid;
    child->exit_fd = launch->exit_fd;
    return SAFE_OK;
  }
  code = safe__plan_failure(launch->plan, &launch->report, error);
  /* Mach-O's own ways of not being a program for this machine. */
  if (os_code == EBADEXEC || os_code == EBADARCH || os_code == ESHLIBVERS || os_code == EBADMACHO)
    code = error->code = SAFE_ENOEXEC;
  return code;
}

static int too_late(const struct launch *launch, int code, safe_error *error) {
  return safe__fail(error, code, SAFE_STAGE_EXEC, -1,
                    code == SAFE_ESTUCK
                      ? "%s had not been started when the time was over, and the system does not give the attempt up."
                      : "%s had not been started when the time was over; the child was killed.",
                    launch->plan->candidates[0]);
}

/* Takes the launch over, whatever it answers; *plan becomes NULL where it goes with it. */
static int wait_for(struct launch *launch, struct safe__plan **plan, int64_t deadline, struct safe__child *child,
                    safe_error *error) {
  bool late =
    safe__helper_await(&launch->helper, deadline, NULL, false) != SAFE_OK && safe__helper_take(&launch->helper);
  int code;

  /* Not late: it has ended, or has decided to hand its child over, which takes it no time. */
  if (safe__helper_await(&launch->helper, late ? safe__deadline(GOING_MS) : SAFE__NEVER, NULL, false) != SAFE_OK) {
    code = too_late(launch, SAFE_ESTUCK, error);
    *plan = NULL;
    safe__helper_park(&launch->helper);
    return code;
  }
  safe__helper_join(&launch->helper);
  code = late ? too_late(launch, SAFE_ETIMEDOUT, error) : take_over(launch, child, error);
  launch->plan = NULL;
  free_launch(&launch->helper);
  return code;
}

int safe__launch(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error) {
  struct launch *launch = make_launch(*plan);
  int code, os_code;

  if (launch == NULL) return safe__fail_memory(error, SAFE_STAGE_CREATE);
  code = copy_sources(launch, error);
  if (code == SAFE_OK) {
    os_code = safe__helper_start(&launch->helper);
    if (os_code == 0) return wait_for(launch, plan, deadline, child, error);
    code = safe__fail_os(error, os_code, SAFE_STAGE_CREATE, -1, "No thread can be made to start the child");
  }
  close_sources(launch);
  launch->plan = NULL;
  free_launch(&launch->helper);
  return code;
}
