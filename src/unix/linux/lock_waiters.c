/* SPDX-License-Identifier: MIT */
/*
 * Who waits for a lock on a file. /proc/locks has a line for each, with the process's number, but -1 for an OFD lock.
 * Those have the file open, and one of their threads sleeps in fcntl(2) on that descriptor, as
 * /proc/PID/task/TID/syscall shows to who may debug the process. Of the others it shows which thread it is.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "holder_query.h"
#include "in_exec.h"
#include "kernel.h"
#include "look.h"

#define MOST_THREADS 256
#define INFO_BYTES 1024

/* A thread that sleeps in a lock call. */
struct sleeper {
  int64_t thread;
  int number; /* the descriptor */
  int32_t method;
};

/* "73 0x3 0x2 …" of a sleeper; "running" of others. The numbers are those of this program's own architecture: what
   another one's process waits in has another number, and is not taken for a lock call. */
static bool read_sleeper(int64_t process, int64_t thread, struct sleeper *sleeper) {
  char text[256];
  long call;
  unsigned long number, how;

  if (safe__is_in_exec(process)) return false;
  if (safe__proc_read(process, thread, "syscall", text, sizeof(text)) <= 0) return false;
  if (sscanf(text, "%ld %lx %lx", &call, &number, &how) != 3) return false;
  sleeper->thread = thread;
  sleeper->number = (int)number;
  sleeper->method = SAFE_METHOD_POSIX;
  if (call == SYS_flock) sleeper->method = SAFE_METHOD_FLOCK;
  if (call == SYS_flock) return (how & LOCK_NB) == 0;
  if (call != SYS_fcntl) return false;
  if (how == F_OFD_SETLKW) sleeper->method = SAFE_METHOD_OFD;
  return how == F_OFD_SETLKW || how == F_SETLKW;
}

struct threads {
  DIR *folder;
  int64_t process;
  int seen;
};

static void open_threads(struct threads *threads, int64_t process) {
  char path[40];

  snprintf(path, sizeof(path), "/proc/%lld/task", (long long)process);
  threads->folder = opendir(path);
  threads->process = process;
  threads->seen = 0;
}

/* The next thread that sleeps in such a call. */
static bool next_sleeper(struct threads *threads, struct sleeper *sleeper) {
  int64_t thread;

  while (threads->folder != NULL && threads->seen++ < MOST_THREADS && (thread = safe__proc_next(threads->folder)) != 0)
    if (read_sleeper(threads->process, thread, sleeper)) return true;
  return false;
}

static void close_threads(struct threads *threads) {
  if (threads->folder != NULL) closedir(threads->folder);
}

/* ---- Those that are in the list already. */

static bool was_told(const struct safe__holder_query *query, int64_t thread) {
  size_t at;

  for (at = 0; at < query->waiting_count; at++)
    if (query->waiting[at] == thread) return true;
  return false;
}

static void add(struct safe__holder_query *query, int64_t process, const struct safe__lock_line *line,
                const struct sleeper *sleeper) {
  safe_holder holder = {.handle = -1, .role = SAFE_HOLDER_WAITS, .mode = line->mode, .method = line->method};
  struct safe__proc_stat stat;

  if (!safe__calm_stat(process, &stat)) return;
  holder.pid = safe__host_of(process, &stat);
  if (sleeper != NULL && holder.pid == process) holder.handle = sleeper->number; /* a helper's is not its host's */
  holder.since_ms = safe__asleep_since(process, sleeper != NULL ? sleeper->thread : process);
  if (sleeper == NULL && stat.threads > 1) holder.since_ms = 0; /* it may be another thread */
  if (holder.pid != process && !safe__calm_stat(holder.pid, &stat)) return;
  holder.offset = line->offset;
  holder.length = line->length;
  holder.state = safe__state_letter(stat.state);
  memcpy(holder.name, stat.name, sizeof(holder.name));
  if (!safe__holder_add(query->list, &holder)) query->no_memory = true;
  if (sleeper != NULL && query->waiting_count < sizeof(query->waiting) / sizeof(query->waiting[0]))
    query->waiting[query->waiting_count++] = sleeper->thread;
}

/* ---- Those with a number. */

static bool is_on_file(const struct safe__holder_query *query, int64_t process, int number) {
  char name[32], info[INFO_BYTES], link[sizeof(query->file->name)];
  bool linked;

  snprintf(name, sizeof(name), "fdinfo/%d", number);
  if (!safe__proc_text(process, name, info, sizeof(info))) return false;
  snprintf(name, sizeof(name), "/proc/%lld/fd/%d", (long long)process, number);
  memset(link, 0, sizeof(link));
  linked = !safe__is_in_exec(process) && readlink(name, link, sizeof(link) - 1) > 0;
  return safe__is_seen_file(query->file, process, info, linked ? link : NULL);
}

static void add_named(struct safe__holder_query *query, const struct safe__lock_line *line) {
  struct sleeper sleeper;
  struct threads threads;
  bool found = false;

  open_threads(&threads, line->pid);
  while (!found && next_sleeper(&threads, &sleeper))
    found = sleeper.method == line->method && !was_told(query, sleeper.thread) &&
            is_on_file(query, line->pid, sleeper.number);
  close_threads(&threads);
  add(query, line->pid, line, found ? &sleeper : NULL);
}

/* ---- Those without. */

/* What they ask for is known if all of them ask for the same. */
static int common_line(const struct safe__holder_query *query, struct safe__lock_line *common) {
  int count = 0;
  size_t at;

  for (at = 0; at < query->own_lines; at++) {
    const struct safe__lock_line *line = &query->table[at];
    if (!line->waits || line->pid >= 0) continue;
    if (count++ == 0) *common = *line;
    if (line->mode != common->mode) common->mode = -1;
    if (line->offset != common->offset || line->length != common->length) common->offset = common->length = 0;
  }
  return count;
}

static bool has_open(const struct safe__holder_query *query, int64_t process, int number) {
  size_t at;

  for (at = 0; at < query->opener_count; at++)
    if (query->openers[at].process == process && query->openers[at].number == number) return true;
  return false;
}

static int add_sleepers_of(struct safe__holder_query *query, int64_t process, const struct safe__lock_line *line) {
  struct sleeper sleeper;
  struct threads threads;
  int count = 0;

  open_threads(&threads, process);
  while (next_sleeper(&threads, &sleeper)) {
    if (sleeper.method != SAFE_METHOD_OFD || was_told(query, sleeper.thread)) continue;
    if (!has_open(query, process, sleeper.number) || !is_on_file(query, process, sleeper.number)) continue;
    add(query, process, line, &sleeper);
    count++;
  }
  close_threads(&threads);
  return count;
}

static int add_nameless(struct safe__holder_query *query, const struct safe__lock_line *line) {
  int count = 0;
  size_t at;

  for (at = 0; at < query->opener_count && safe__os_now() < query->deadline; at++)
    if (at == 0 || query->openers[at].process != query->openers[at - 1].process)
      count += add_sleepers_of(query, query->openers[at].process, line);
  return count;
}

void safe__tell_waiters(struct safe__holder_query *query) {
  struct safe__lock_line common;
  int nameless = common_line(query, &common);
  size_t at;

  for (at = 0; at < query->own_lines; at++) {
    if (!query->table[at].waits || query->table[at].pid <= 0) continue;
    if (safe__os_now() < query->deadline)
      add_named(query, &query->table[at]);
    else
      query->late = true;
  }
  if (nameless > 0) nameless -= add_nameless(query, &common);
  if (nameless > 0 && query->partly) { /* one may have opened the file since */
    safe__search(query, SAFE__EVERY);
    nameless -= add_nameless(query, &common);
  }
  if (nameless > 0)
    safe__holder_unknown(query->list, "%d more wait%s, whose process%s this user may not look at.", nameless,
                         nameless == 1 ? "s" : "", nameless == 1 ? "" : "es");
}
