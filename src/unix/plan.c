/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

#define SHELL "/bin/sh"
#define NO_PATH "/usr/local/bin:/usr/bin:/bin" /* where PATH is not set */
#define LAST_TARGET 65535

/*
 * One block for all of it: first it is measured, with memory NULL, then it is filled. Another thread of the host may
 * change the environment in between; what no longer fits then is told by used, and not written.
 */
struct arena {
  char *memory;
  size_t used, size;
};

#define TRIES 8 /* at an environment that keeps changing */

static void *carve(struct arena *arena, size_t size) {
  size_t begin = arena->used;

  arena->used += (size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
  return arena->memory == NULL || arena->used > arena->size ? NULL : arena->memory + begin;
}

static char *join(struct arena *arena, const char *folder, size_t length, const char *name) {
  size_t size = strlen(name) + 1;
  char *copy = carve(arena, length + (length > 0) + size);

  if (copy == NULL) return NULL;
  memcpy(copy, folder, length);
  if (length > 0) copy[length] = '/';
  memcpy(copy + length + (length > 0), name, size);
  return copy;
}

static char **copy_strings(struct arena *arena, const char *const *strings) {
  size_t at, count = 0;
  char *string, **copy;

  while (strings[count] != NULL) count++;
  copy = carve(arena, (count + 1) * sizeof(*copy));
  for (at = 0; at < count && strings[at] != NULL; at++) {
    string = join(arena, "", 0, strings[at]);
    if (copy != NULL) copy[at] = string;
  }
  if (copy != NULL) copy[at] = NULL;
  return copy;
}

/* Where a program is looked for. */
struct search {
  const char *file, *path;
  char folder[4096]; /* the host's working directory, if the file's path is relative */
};

static int search_begin(struct search *search, const safe_spawn_options *options, safe_error *error) {
  search->file = options->shell != NULL ? SHELL : options->file;
  search->path = NULL;
  search->folder[0] = '\0';
  if (strchr(search->file, '/') == NULL) {
    search->path = getenv("PATH");
    if (search->path == NULL) search->path = NO_PATH;
  } else if (search->file[0] != '/' && options->cwd != NULL && getcwd(search->folder, sizeof(search->folder)) == NULL) {
    /* The child changes its folder before exec, but the path is meant from here. */
    return safe__fail_os(error, errno, SAFE_STAGE_SEARCH, -1, "The working directory of the host cannot be named");
  }
  return SAFE_OK;
}

/* Full paths only: an empty element means the current directory, which a program must never be found in by accident. */
static int candidates(struct arena *arena, const struct search *search, char **into, int room) {
  const char *from, *end;
  char *candidate;
  int count = 0;

  if (search->path == NULL) {
    candidate = join(arena, search->folder, strlen(search->folder), search->file);
    if (room > 0) into[0] = candidate;
    return 1;
  }
  for (from = search->path;; from = end + 1) {
    end = strchr(from, ':');
    if (end == NULL) end = from + strlen(from);
    if (from[0] == '/') {
      candidate = join(arena, from, (size_t)(end - from), search->file);
      if (count < room) into[count] = candidate;
      count++;
    }
    if (*end == '\0') return count;
  }
}

static const char *const *environment(const safe_spawn_options *options) {
  static const char *const empty[] = {NULL};

  if (options->env != NULL) return options->env;
  return environ != NULL ? (const char *const *)environ : empty; /* NULL after clearenv(3) */
}

static struct safe__plan *lay_out(struct arena *arena, const safe_spawn_options *options, const struct search *search,
                                  int candidate_count) {
  const char *const shell[] = {"sh", "-c", options->shell, NULL};
  struct safe__plan *plan = carve(arena, sizeof(*plan));
  struct safe__move *moves = carve(arena, (3 + options->handle_count) * sizeof(*moves));
  char **paths = carve(arena, ((size_t)candidate_count + 1) * sizeof(*paths));
  char **argv = copy_strings(arena, options->shell != NULL ? shell : options->argv);
  char **envp = copy_strings(arena, environment(options));
  char *cwd = options->cwd == NULL ? NULL : join(arena, "", 0, options->cwd);
  int found;

  found = candidates(arena, search, paths, paths == NULL ? 0 : candidate_count);
  if (plan == NULL || paths == NULL) return NULL;
  paths[found < candidate_count ? found : candidate_count] = NULL;
  plan->argv = argv;
  plan->envp = envp;
  plan->cwd = cwd;
  plan->candidates = paths;
  plan->moves = moves;
  plan->group = options->group;
  plan->error_fd = -1;
  plan->asked = options;
  return plan;
}

static int by_target(const void *one, const void *other) {
  return ((const struct safe__move *)one)->target - ((const struct safe__move *)other)->target;
}

static int list_handles(struct safe__plan *plan, const safe_spawn_options *options, safe_error *error) {
  struct safe__move *move;
  size_t at;

  plan->move_count = 3;
  for (at = 0; at < options->handle_count; at++) {
    move = &plan->moves[plan->move_count++];
    move->source = options->handles[at].handle;
    move->target = options->handles[at].target;
    move->stage = SAFE_STAGE_HANDLE;
    move->index = (int)at;
    if (move->target < 3 || move->target > LAST_TARGET)
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, (int)at,
                        "Listed handle %d has the target %d: it must be from 3 to %d.", (int)at, move->target,
                        LAST_TARGET);
    if (move->source < 0)
      return safe__fail(error, SAFE_EBADF, SAFE_STAGE_ARGUMENTS, (int)at, "Listed handle %d is %d.", (int)at,
                        move->source);
  }
  qsort(plan->moves + 3, options->handle_count, sizeof(*plan->moves), by_target);
  for (at = 4; at < 3 + options->handle_count; at++)
    if (plan->moves[at].target == plan->moves[at - 1].target)
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, plan->moves[at].index,
                        "Two listed handles have the target %d.", plan->moves[at].target);
  return SAFE_OK;
}

/* SAFE_EAGAIN: the environment changed between measuring and filling. */
static int make(struct safe__plan **out, const safe_spawn_options *options, safe_error *error) {
  struct arena arena = {NULL, 0, 0};
  struct safe__plan *plan;
  struct search search;
  int count, code = search_begin(&search, options, error);

  if (code != SAFE_OK) return code;
  count = candidates(&arena, &search, NULL, 0);
  if (count == 0)
    return safe__fail(error, SAFE_ENOENT, SAFE_STAGE_SEARCH, -1,
                      "%s cannot be found: PATH has no element that is a full path.", search.file);
  arena.used = 0;
  lay_out(&arena, options, &search, count);
  arena.size = arena.used;
  arena.used = 0;
  arena.memory = safe__alloc(arena.size);
  if (arena.memory == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  plan = lay_out(&arena, options, &search, count);
  if (arena.used > arena.size) {
    safe__free(arena.memory);
    return safe__fail(error, SAFE_EAGAIN, SAFE_STAGE_PREPARE, -1, "The environment kept changing while it was copied.");
  }
  *out = plan;
  return SAFE_OK;
}

int safe__plan_make(struct safe__plan **out, const safe_spawn_options *options, safe_error *error) {
  int tries, code = SAFE_EAGAIN;

  *out = NULL;
  if (options->handle_count > LAST_TARGET)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "There are more listed handles than targets.");
  for (tries = 0; code == SAFE_EAGAIN && tries < TRIES; tries++) code = make(out, options, error);
  if (code == SAFE_OK) code = list_handles(*out, options, error);
  if (code != SAFE_OK) {
    safe__free(*out);
    *out = NULL;
  }
  return code;
}

/* A program without its interpreter is as missing to exec as one that is not there. */
static int first_that_exists(const struct safe__plan *plan, int otherwise) {
  int at;

  for (at = 0; plan->candidates[at] != NULL; at++)
    if (access(plan->candidates[at], F_OK) == 0) return at;
  return otherwise;
}

int safe__plan_failure(const struct safe__plan *plan, const struct safe__child_report *report, safe_error *error) {
  int index = report->index;

  switch (report->stage) {
  case SAFE_STAGE_EXEC:
    if (report->os_code == ENOENT) index = first_that_exists(plan, index);
    safe__fail_os(error, report->os_code, report->stage, index, "%s cannot be started", plan->candidates[index]);
    if (report->os_code == ENOENT && access(plan->candidates[index], F_OK) == 0)
      safe__add(error, " The file is there: it is the interpreter or loader it names that is missing.");
    return error->code;
  case SAFE_STAGE_CWD:
    return safe__fail_os(error, report->os_code, report->stage, -1, "The child cannot change to %s", plan->cwd);
  case SAFE_STAGE_STDIO:
    return safe__fail_os(error, report->os_code, report->stage, report->index,
                         "Standard stream %d cannot be given to the child", report->index);
  case SAFE_STAGE_HANDLE:
    return safe__fail_os(error, report->os_code, report->stage, report->index,
                         "Listed handle %d cannot be given to the child", report->index);
  default:
    return safe__fail_os(error, report->os_code, report->stage, report->index, "The child failed at %s",
                         safe_stage_name(report->stage));
  }
}
