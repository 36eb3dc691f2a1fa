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
#include <sys/wait.h>
#include <unistd.h>

#include "error_pipe.h"
#include "exit_kqueue.h"
#include "launch.h"
#include "pipe.h"
#include "tree.h"

/* How much longer than the deadline a call that is already under way, or a killed child, is waited for. */
#define GOING_MS 100

/* ---- On the thread. */

/* Nobody waits for it any more. SIGCONT for kernels in which a suspended child does not see its SIGKILL. */
static void end_child(struct safe__launch *launch) {
  kill(launch->pid, SIGKILL);
  kill(launch->pid, SIGCONT);
  while (waitpid(launch->pid, NULL, 0) < 0 && errno == EINTR) continue;
  if (launch->exit_fd >= 0) close(launch->exit_fd);
}

static void close_sources(struct safe__launch *launch) {
  int at;

  for (at = 0; at < launch->plan->move_count; at++) {
    if (launch->sources[at] >= 0) close(launch->sources[at]);
    launch->sources[at] = -1;
  }
  if (launch->error_source >= 0) close(launch->error_source);
  launch->error_source = -1;
}

static void run(struct safe__helper *helper) {
  struct safe__launch *launch = (struct safe__launch *)helper;
  int ignored, os_code;

  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);
  os_code = safe__launch_call(launch);
  close_sources(launch); /* before anybody hears of the child: its pipes' ends are its own then */
  if (launch->pid > 0) launch->exit_fd = safe__watch_exit(launch->pid);
  if (launch->pid > 0 && os_code != 0) end_child(launch);
  if (!safe__helper_take(helper)) {
    if (os_code == 0) end_child(launch);
  } else if (os_code == 0) {
    kill(launch->pid, SIGCONT);
  }
}

/* ---- The life of a launch. */

/* The plan stays the caller's. */
static void drop_launch(struct safe__launch *launch) {
  close_sources(launch);
  safe__free(launch->sources);
  safe__free(launch->arguments);
  safe__free(launch);
}

/* Of one that was left behind. */
static void free_launch(struct safe__helper *helper) {
  struct safe__launch *launch = (struct safe__launch *)helper;
  struct safe__plan *plan = launch->plan;

  drop_launch(launch);
  safe__free(plan);
}

static struct safe__launch *make_launch(struct safe__plan *plan) {
  struct safe__launch *launch = safe__alloc(sizeof(*launch));
  int at;

  if (launch == NULL) return NULL;
  launch->sources = safe__alloc((size_t)plan->move_count * sizeof(*launch->sources));
  if (launch->sources == NULL) {
    safe__free(launch);
    return NULL;
  }
  for (at = 0; at < plan->move_count; at++) launch->sources[at] = -1;
  launch->helper.run = run;
  launch->helper.free = free_launch;
  launch->plan = plan;
  launch->least = plan->moves[plan->move_count - 1].target + 1;
  launch->error_source = launch->exit_fd = -1;
  return launch;
}

/* EINVAL: no number is left between the largest target and the limit. */
static int copy_one(const struct safe__launch *launch, int fd) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, launch->least);

  if (copy < 0 && errno == EINVAL) errno = EMFILE;
  return copy;
}

static int copy_sources(struct safe__launch *launch, safe_error *error) {
  const struct safe__plan *plan = launch->plan;
  const struct safe__move *move;
  int at;

  for (at = 0; at < plan->move_count; at++) {
    move = &plan->moves[at];
    if (move->source < 0) continue;
    launch->sources[at] = copy_one(launch, move->source);
    if (launch->sources[at] < 0)
      return safe__fail_os(error, errno, move->stage, move->index, "Descriptor %d cannot be copied for the child",
                           move->source);
  }
  return SAFE_OK;
}

/* ---- The trampoline. */

static int first_free_number(const struct safe__plan *plan) {
  int at, number = 3;

  for (at = 3; at < plan->move_count && plan->moves[at].target == number; at++) number++; /* they are sorted */
  return number;
}

/* Answers our end of the pipe that it reports through in *heard_from. */
static int prepare_trampoline(struct safe__launch *launch, int *heard_from, safe_error *error) {
  int fds[2], code = safe__trampoline_find(launch->trampoline, sizeof(launch->trampoline), error);

  if (code != SAFE_OK) return code;
  launch->error_target = first_free_number(launch->plan);
  if (launch->error_target >= launch->least) launch->least = launch->error_target + 1;
  launch->arguments = safe__trampoline_arguments(launch->plan, launch->error_target);
  if (launch->arguments == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  if (safe__pipe(fds) != 0) return safe__fail_os(error, errno, SAFE_STAGE_CREATE, -1, "A pipe cannot be made");
  launch->error_source = copy_one(launch, fds[1]);
  if (launch->error_source < 0) {
    code = safe__fail_os(error, errno, SAFE_STAGE_CREATE, -1, "A pipe cannot be copied for the child");
    close(fds[0]);
  } else {
    *heard_from = fds[0];
  }
  close(fds[1]);
  return code;
}

/* Ends a child that did not get to its program, and reaps or parks it. */
static int abandon(struct safe__child *child, const struct safe__plan *plan, int code, safe_error *error) {
  safe_exit ignored = SAFE_EXIT_INIT;
  safe_error unsaid;
  bool ended;

  kill((pid_t)child->pid, SIGKILL);
  safe__error_clear(&unsaid);
  ended = safe__os_child_wait(child, safe__deadline(GOING_MS), NULL, &ignored, &unsaid) == SAFE_OK;
  safe__child_let_go(child);
  if (!ended)
    return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_EXEC, -1,
                      "%s had not been started when the time was over, and the child (process %lld) cannot be killed.",
                      plan->candidates[0], (long long)child->pid);
  if (code != SAFE_ETIMEDOUT) return code; /* the child said why, and the error has it already */
  return safe__fail(error, code, SAFE_STAGE_EXEC, -1,
                    "%s had not been started when the time was over; the child was killed.", plan->candidates[0]);
}

/* ---- What came of it. */

static int say(const struct safe__launch *launch, const struct safe__plan *plan,
               const struct safe__child_report *report, safe_error *error) {
  int os_code = report->os_code, code;

  if (report->stage == SAFE_STAGE_PREPARE && launch->trampoline[0] != '\0') {
    if (os_code == EPROTO)
      return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_PREPARE, -1, "%s is of another version than the library.",
                        launch->trampoline);
    return safe__fail_os(error, os_code, SAFE_STAGE_PREPARE, -1, "%s cannot be started", launch->trampoline);
  }
  code = safe__plan_failure(plan, report, error);
  /* Mach-O's own ways of not being a program for this machine. */
  if (os_code == EBADEXEC || os_code == EBADARCH || os_code == ESHLIBVERS || os_code == EBADMACHO)
    code = error->code = SAFE_ENOEXEC;
  return code;
}

/* The caller's answer to what the thread, and the trampoline if there is one, have done in time. */
static int take_over(struct safe__launch *launch, int heard_from, int64_t deadline, struct safe__child *child,
                     safe_error *error) {
  struct safe__child_report report = {0, 0, 0};
  enum safe__heard heard = SAFE__HEARD_EXEC;

  if (launch->report.stage != SAFE_STAGE_NONE) return say(launch, launch->plan, &launch->report, error);
  child->pid = launch->pid;
  child->exit_fd = launch->exit_fd;
  if (heard_from >= 0) heard = safe__error_pipe_hear(heard_from, &report, deadline);
  if (heard == SAFE__HEARD_REPORT)
    return abandon(child, launch->plan, say(launch, launch->plan, &report, error), error);
  return heard == SAFE__HEARD_EXEC ? SAFE_OK : abandon(child, launch->plan, SAFE_ETIMEDOUT, error);
}

static int too_late(const struct safe__launch *launch, int code, safe_error *error) {
  return safe__fail(error, code, SAFE_STAGE_EXEC, -1,
                    code == SAFE_ESTUCK
                      ? "%s had not been started when the time was over, and the system does not give the attempt up."
                      : "%s had not been started when the time was over; the child was killed.",
                    launch->plan->candidates[0]);
}

/* Takes the launch over, whatever it answers; *plan becomes NULL where it goes with it. */
static int wait_for(struct safe__launch *launch, struct safe__plan **plan, int heard_from, int64_t deadline,
                    struct safe__child *child, safe_error *error) {
  bool late =
    safe__helper_await(&launch->helper, deadline, NULL, false) != SAFE_OK && safe__helper_take(&launch->helper);
  int code;

  if (late) pthread_cancel(launch->helper.thread); /* out of an open; nowhere else does it heed that */
  /* Not late: it has ended, or has decided to hand its child over, which takes it no time. */
  if (safe__helper_await(&launch->helper, late ? safe__deadline(GOING_MS) : SAFE__NEVER, NULL, false) != SAFE_OK) {
    code = too_late(launch, SAFE_ESTUCK, error);
    *plan = NULL;
    safe__helper_park(&launch->helper);
    return code;
  }
  safe__helper_join(&launch->helper);
  code = late ? too_late(launch, SAFE_ETIMEDOUT, error) : take_over(launch, heard_from, deadline, child, error);
  drop_launch(launch);
  return code;
}

static int launch_child(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error) {
  struct safe__launch *launch = make_launch(*plan);
  int code = SAFE_OK, os_code, heard_from = -1;

  if (launch == NULL) return safe__fail_memory(error, SAFE_STAGE_CREATE);
  if (safe__trampoline_needed(*plan)) code = prepare_trampoline(launch, &heard_from, error);
  if (code == SAFE_OK) code = copy_sources(launch, error);
  if (code == SAFE_OK) {
    os_code = safe__helper_start(&launch->helper);
    if (os_code == 0) {
      code = wait_for(launch, plan, heard_from, deadline, child, error);
      launch = NULL;
    } else {
      code = safe__fail_os(error, os_code, SAFE_STAGE_CREATE, -1, "No thread can be made to start the child");
    }
  }
  if (launch != NULL) drop_launch(launch);
  if (heard_from >= 0) close(heard_from);
  return code;
}

/* What macOS has no means for. */
static int check(const struct safe__plan *plan, safe_error *error) {
  if ((plan->flags & SAFE_SPAWN_NO_NEW_PRIVILEGES) != 0)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_PRIVILEGES, -1,
                      "macOS cannot keep a process from gaining privileges by exec.");
  if ((plan->flags & SAFE_SPAWN_DIE_WITH_HOST) != 0)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_GUARD, -1, "macOS does not end a process when its parent ends.");
  return SAFE_OK;
}

int safe__launch(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error) {
  int code = check(*plan, error);

  if (code == SAFE_OK) code = safe__tree_begin(child, (*plan)->asked, error);
  if (code == SAFE_OK) code = launch_child(plan, deadline, child, error);
  if (code != SAFE_OK) safe__tree_end(child, true);
  return code;
}
