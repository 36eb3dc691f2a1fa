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

static size_t count_strings(const char *const *strings) {
  size_t count = 0;

  while (strings[count] != NULL) count++;
  return count;
}

static char **copy_strings(struct arena *arena, const char *const *strings) {
  size_t at, count = count_strings(strings);
  char *string, **copy;

  copy = carve(arena, (count + 1) * sizeof(*copy));
  for (at = 0; at < count && strings[at] != NULL; at++) {
    string = join(arena, "", 0, strings[at]);
    if (copy != NULL) copy[at] = string;
  }
  if (copy != NULL) copy[at] = NULL;
  return copy;
}

/* Where a program is looked for, and the child's environment. */
struct search {
  const char *const *environment;
  const char **changed; /* the same, if it had to be put together; to be freed */
  const char *file, *path;
  char folder[4096]; /* the host's working directory, if the file's path is relative */
};

static const char *const *base_environment(const safe_spawn_options *options) {
  static const char *const empty[] = {NULL};

  if (options->env != NULL) return options->env;
  return environ != NULL ? (const char *const *)environ : empty; /* NULL after clearenv(3) */
}

static bool names_match(const char *one, const char *other) {
  size_t length = strcspn(one, "=");

  return strncmp(one, other, length) == 0 && (other[length] == '=' || other[length] == '\0');
}

static bool is_changed_later(const char *string, const char *const *changes) {
  for (; *changes != NULL; changes++)
    if (names_match(*changes, string)) return true;
  return false;
}

/* What the changes do not name stays, in its order; what they set comes behind it. */
static bool change_environment(struct search *search, const char *const *changes) {
  const char *const *base = search->environment;
  size_t count = count_strings(base), used = 0, at;

  search->changed = safe__alloc((count + count_strings(changes) + 1) * sizeof(*search->changed));
  if (search->changed == NULL) return false;
  for (at = 0; at < count && base[at] != NULL; at++)
    if (!is_changed_later(base[at], changes)) search->changed[used++] = base[at];
  for (; *changes != NULL; changes++)
    if (strchr(*changes, '=') != NULL && !is_changed_later(*changes, changes + 1)) search->changed[used++] = *changes;
  search->changed[used] = NULL;
  search->environment = search->changed;
  return true;
}

static const char *path_of(const char *const *environment) {
  for (; *environment != NULL; environment++)
    if (strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
  return NULL;
}

static int search_begin(struct search *search, const safe_spawn_options *options, safe_error *error) {
  search->environment = base_environment(options);
  search->changed = NULL;
  search->file = options->shell != NULL ? SHELL : options->file;
  search->path = NULL;
  search->folder[0] = '\0';
  if (options->env_changes != NULL && !change_environment(search, options->env_changes))
    return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  if (strchr(search->file, '/') == NULL) {
    search->path = (options->flags & SAFE_SPAWN_PATH_OF_CHILD) != 0 ? path_of(search->environment) : getenv("PATH");
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

static void *copy_array(struct arena *arena, const void *from, size_t count, size_t size) {
  void *copy = carve(arena, count * size);

  if (copy != NULL && count > 0) memcpy(copy, from, count * size);
  return copy;
}

static void copy_ids(struct safe__plan *plan, const safe_spawn_options *options) {
  plan->uid = options->uid;
  plan->gid = options->gid;
  plan->sets_groups = options->groups != NULL || options->uid >= 0 || options->gid >= 0;
  plan->group_count = options->group_count;
  plan->changes_user = options->uid >= 0 || options->gid >= 0 || options->groups != NULL;
  plan->umask = options->umask;
  plan->nice = options->nice;
  plan->limit_count = (int)options->limit_count;
}

/* The standard streams' paths are meant from here, as the child opens them before it changes its folder. */
static void copy_paths(struct arena *arena, struct safe__move *moves, const safe_spawn_options *options) {
  const safe_stdio *const stdio[3] = {&options->in, &options->out, &options->err};
  char *path;
  int at;

  for (at = 0; at < 3; at++) {
    if (stdio[at]->kind != SAFE_STDIO_PATH) continue;
    path = join(arena, "", 0, stdio[at]->path);
    if (moves != NULL) moves[at].path = path;
  }
}

static struct safe__plan *lay_out(struct arena *arena, const safe_spawn_options *options, const struct search *search,
                                  int candidate_count) {
  const char *const shell[] = {"sh", "-c", options->shell, NULL};
  struct safe__plan *plan = carve(arena, sizeof(*plan));
  struct safe__move *moves = carve(arena, (3 + options->handle_count) * sizeof(*moves));
  char **paths = carve(arena, ((size_t)candidate_count + 1) * sizeof(*paths));
  char **argv = copy_strings(arena, options->shell != NULL ? shell : options->argv);
  char **envp = copy_strings(arena, search->environment);
  char *cwd = options->cwd == NULL ? NULL : join(arena, "", 0, options->cwd);
  uint32_t *groups = copy_array(arena, options->groups, options->group_count, sizeof(*groups));
  safe_limit *limits = copy_array(arena, options->limits, options->limit_count, sizeof(*limits));
  int found;

  copy_paths(arena, moves, options);

  found = candidates(arena, search, paths, paths == NULL ? 0 : candidate_count);
  if (plan == NULL || paths == NULL) return NULL;
  paths[found < candidate_count ? found : candidate_count] = NULL;
  plan->argv = argv;
  plan->envp = envp;
  plan->cwd = cwd;
  plan->candidates = paths;
  plan->moves = moves;
  plan->flags = options->flags;
  plan->group = options->group;
  plan->terminal = -1;
  copy_ids(plan, options);
  plan->groups = groups;
  plan->limits = limits;
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
static int fill(struct safe__plan **out, const safe_spawn_options *options, const struct search *search,
                safe_error *error) {
  struct arena arena = {NULL, 0, 0};
  struct safe__plan *plan;
  int count = candidates(&arena, search, NULL, 0);

  if (count == 0)
    return safe__fail(error, SAFE_ENOENT, SAFE_STAGE_SEARCH, -1,
                      "%s cannot be found: PATH has no element that is a full path.", search->file);
  arena.used = 0;
  lay_out(&arena, options, search, count);
  arena.size = arena.used;
  arena.used = 0;
  arena.memory = safe__alloc(arena.size);
  if (arena.memory == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  plan = lay_out(&arena, options, search, count);
  if (arena.used > arena.size) {
    safe__free(arena.memory);
    return safe__fail(error, SAFE_EAGAIN, SAFE_STAGE_PREPARE, -1, "The environment kept changing while it was copied.");
  }
  *out = plan;
  return SAFE_OK;
}

static int make(struct safe__plan **out, const safe_spawn_options *options, safe_error *error) {
  struct search search;
  int code = search_begin(&search, options, error);

  if (code == SAFE_OK) code = fill(out, options, &search, error);
  safe__free(search.changed);
  return code;
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
    if (plan->moves[index].path != NULL)
      return safe__fail_os(error, report->os_code, report->stage, index, "%s cannot be opened for standard stream %d",
                           plan->moves[index].path, index);
    return safe__fail_os(error, report->os_code, report->stage, report->index,
                         "Standard stream %d cannot be given to the child", report->index);
  case SAFE_STAGE_HANDLE:
    return safe__fail_os(error, report->os_code, report->stage, report->index,
                         "Listed handle %d cannot be given to the child", report->index);
  case SAFE_STAGE_LIMIT:
    return safe__fail_os(error, report->os_code, report->stage, index, "Resource limit %d cannot be set to %lld", index,
                         (long long)plan->limits[index].value);
  case SAFE_STAGE_UID:
    return safe__fail_os(error, report->os_code, report->stage, -1, "The child cannot become user %lld",
                         (long long)plan->uid);
  case SAFE_STAGE_GID:
    return safe__fail_os(error, report->os_code, report->stage, -1, "The child cannot have group %lld",
                         (long long)plan->gid);
  default:
    return safe__fail_os(error, report->os_code, report->stage, report->index, "The child failed at %s",
                         safe_stage_name(report->stage));
  }
}
