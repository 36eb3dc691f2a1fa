/* SPDX-License-Identifier: MIT */
/*
 * Who holds a lock, from /proc. The lock lines of /proc/PID/fdinfo name every process that has the locked
 * description open, whoever locked it: the only source for OFD locks, and the one that shows an inherited
 * descriptor. /proc/locks adds the waiters, and holders whose fdinfo may not be read; and where it has nothing, or
 * record locks only, which are nobody's but their owner's, the descriptors of all processes need not be looked at.
 *
 * /proc/locks is not for a look that has little time. Reading it waits for a grace period of RCU (8 to 11 ms on an idle
 * machine with HZ=250), keeps the whole machine from locking while a page of it is written, and has every lock call
 * take the slow way until another such period is over (percpu_down_write in locks_start, fs/locks.c; rcu_sync). So it
 * is read only if the descriptors do not tell enough.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holder_query.h"
#include "in_exec.h"
#include "lock_sight.h"

/* ---- The table. */

bool safe__is_own_line(const struct safe__holder_query *query, const struct safe__lock_line *line) {
  return line->id.low == query->file->id.low && line->id.volume == query->file->id.volume;
}

struct reading {
  struct safe__lock_line *table;
  size_t own_lines, lines;
};

static size_t count_same(const struct reading *reading, size_t from, size_t to, const struct safe__lock_line *line,
                         bool in_its_part) {
  size_t at, count = 0;

  for (at = from; at < to; at++)
    count += safe__is_same_line(&reading->table[at], line) && (reading->table[at].part == line->part || !in_its_part);
  return count;
}

/* Of lines that say the same there are as many as one part has of them. */
static void drop_repeated(struct reading *reading) {
  size_t at, kept = 0, own = reading->own_lines;

  if (own < 2 || reading->table[0].part == reading->table[own - 1].part) return;
  for (at = 0; at < own; at++) {
    struct safe__lock_line line = reading->table[at];
    size_t earlier = count_same(reading, 0, kept, &line, false) - count_same(reading, 0, kept, &line, true);
    /* Counted from behind, as what is in front has been moved: the last ones of a part are those to be kept. */
    if (count_same(reading, at, own, &line, true) > earlier) reading->table[kept++] = line;
  }
  reading->own_lines = kept;
}

static bool read_once(struct safe__holder_query *query, struct reading *reading) {
  bool in_parts;
  int os_code;
  size_t at;

  reading->table = safe__lock_table(&reading->lines, &in_parts, &os_code);
  if (reading->table == NULL && os_code == ENOMEM) query->no_memory = true;
  if (reading->table == NULL && os_code != ENOMEM) safe__holder_unknown(query->list, "/proc/locks cannot be read.");
  reading->own_lines = 0;
  for (at = 0; reading->table != NULL && at < reading->lines; at++) {
    struct safe__lock_line line = reading->table[at];
    if (!safe__is_own_line(query, &line)) continue;
    reading->table[at] = reading->table[reading->own_lines];
    reading->table[reading->own_lines++] = line;
  }
  if (reading->table != NULL) drop_repeated(reading);
  return reading->table != NULL && in_parts;
}

#define READINGS 4

/* Of a table in parts that changes meanwhile one reading in a few hundred lacks a lock, and many more where the reader
   is preempted between two parts: the reading that shows the most of the file is believed. One right after another
   waits for no grace period. */
static void read_table(struct safe__holder_query *query) {
  struct reading best, next;
  bool again = read_once(query, &best);
  int readings;

  for (readings = 1; again && readings < READINGS && safe__os_now() < query->deadline; readings++) {
    again = read_once(query, &next);
    if (next.table == NULL) break;
    if (next.own_lines >= best.own_lines) {
      safe__free(best.table);
      best = next;
    } else {
      safe__free(next.table);
    }
  }
  query->table = best.table;
  query->own_lines = best.own_lines;
  query->lines = best.lines;
}

static bool has_shareable(const struct safe__lock_line *lines, size_t count) {
  size_t at;

  for (at = 0; at < count; at++)
    if (lines[at].method != SAFE_METHOD_POSIX) return true;
  return false;
}

/* Where nobody holds the file, it is looked whether somebody holds what was at its path before. */
static enum safe__extent extent_of(const struct safe__holder_query *query) {
  size_t at;

  if (query->table == NULL || !safe__sees_all_processes()) return SAFE__EVERY;
  for (at = 0; at < query->own_lines; at++)
    if (!query->table[at].waits) return has_shareable(query->table, query->own_lines) ? SAFE__EVERY : SAFE__NAMED;
  if (query->own_lines > 0 || has_shareable(query->table, query->lines)) return SAFE__EVERY;
  return query->lines > 0 ? SAFE__NAMED : SAFE__NOBODY;
}

/* ---- What it comes to. */

int64_t safe__host_of(int64_t process, const struct safe__proc_stat *stat) {
  return stat->exit_signal == 0 && stat->parent > 0 ? stat->parent : process;
}

char safe__state_letter(char state) { return strchr("RSDTtZ", state) != NULL ? state : 0; }

static void examine_found(struct safe__holder_query *query) {
  struct safe__found *found;

  for (found = query->found; found < query->found + query->found_count; found++) {
    found->gone = !safe__calm_stat(found->process, &found->stat);
    found->host = found->gone ? found->process : safe__host_of(found->process, &found->stat);
    if (!found->gone && found->host != found->process) found->gone = !safe__calm_stat(found->host, &found->stat);
  }
}

static void add(struct safe__holder_query *query, const struct safe__lock_line *line, int64_t pid,
                const struct safe__proc_stat *stat, int64_t handle, int32_t via) {
  safe_holder holder = {.pid = pid, .handle = handle, .mode = line->mode, .method = line->method, .via = via};

  /* Who has the turnstile of SAFE_LOCK_FAIR holds nothing yet. */
  holder.role = line->offset == SAFE__GATE ? SAFE_HOLDER_WAITS : SAFE_HOLDER_HOLDS;
  holder.offset = line->offset == SAFE__GATE ? 0 : line->offset;
  holder.length = line->offset == SAFE__GATE ? 0 : line->length;
  memcpy(holder.name, stat->name, sizeof(holder.name));
  holder.state = safe__state_letter(stat->state);
  if (!safe__holder_add(query->list, &holder)) query->no_memory = true;
}

/* A helper's copy of a descriptor is not named beside its host's own. */
static bool is_hosts_copy(const struct safe__holder_query *query, const struct safe__found *copy) {
  const struct safe__found *found;

  if (copy->host == copy->process) return false;
  for (found = query->found; found < query->found + query->found_count; found++)
    if (!found->gone && found->process == copy->host) return true;
  return false;
}

static void add_found(struct safe__holder_query *query) {
  const struct safe__found *found;

  for (found = query->found; found < query->found + query->found_count; found++)
    if (!found->gone && !is_hosts_copy(query, found))
      add(query, &found->line, found->host, &found->stat, found->host == found->process ? found->number : -1,
          found->via);
}

/* ---- What the table has and no descriptor that we could see. */

static bool is_found(const struct safe__holder_query *query, const struct safe__lock_line *line) {
  const struct safe__found *found;

  for (found = query->found; found < query->found + query->found_count; found++)
    if (!found->gone && safe__is_same_line(&found->line, line)) return true;
  return false;
}

static bool may_read(int64_t pid) {
  char path[40];

  snprintf(path, sizeof(path), "/proc/%lld/fd", (long long)pid);
  return access(path, R_OK) == 0;
}

/* False: it is not to be told who holds it. */
static bool add_taker(struct safe__holder_query *query, const struct safe__lock_line *line) {
  struct safe__proc_stat stat;
  int64_t host;

  /* Who can be looked at, and was not found, does not have it any more. */
  if (line->pid <= 0 || may_read(line->pid) || !safe__calm_stat(line->pid, &stat) || stat.state == 'Z') return false;
  host = safe__host_of(line->pid, &stat);
  if (host != line->pid && !safe__calm_stat(host, &stat)) return false;
  add(query, line, host, &stat, -1, SAFE_VIA_LOCKED);
  return true;
}

static int add_takers(struct safe__holder_query *query) {
  int nameless = 0;
  size_t at;

  for (at = 0; at < query->own_lines; at++)
    if (!query->table[at].waits && !is_found(query, &query->table[at]))
      nameless += !add_taker(query, &query->table[at]);
  return nameless;
}

/* ---- Once over. */

static void forget(struct safe__holder_query *query) {
  safe__free(query->table);
  safe__free(query->found);
  safe__free(query->openers);
}

static int tell(struct safe__holder_query *query) {
  examine_found(query);
  safe__tell_sharers(query);
  add_found(query);
  return add_takers(query);
}

/* ---- With time, and without the table. */

#define FEW_LOOKS 7
#define MOST_LOOKS 11
#define PAUSE (SAFE__MS / 20)

static bool is_held(const struct safe__holder_query *query) {
  size_t at;

  for (at = 0; at < query->found_count; at++)
    if (query->found[at].line.offset != SAFE__GATE) return true;
  return false;
}

static bool saw_all(const struct safe__holder_query *query) {
  return query->unreadable == 0 && !query->late && !query->no_memory;
}

/* Whoever locks and unlocks all the time may be seen just when he does not have it. The pauses grow, up to 51 ms in
   all, as he may be waiting for our processor; who sleeps is not waited for as long. */
static bool catch_holder(struct safe__holder_query *query) {
  int64_t pause = PAUSE, until;
  int looks;

  for (looks = 1; !is_held(query); looks++) {
    until = safe__os_now() + pause;
    if (looks == MOST_LOOKS || query->opener_count == 0 || until >= query->deadline) return false;
    if (looks >= FEW_LOOKS && !safe__opener_runs(query)) return false;
    safe__os_sleep(until, NULL, false);
    safe__search(query, SAFE__OPENERS);
    pause *= 2;
  }
  return true;
}

/*
 * False: it takes the table. Where every descriptor can be seen, it adds those who wait, and locks that are in no table
 * of descriptors: on their way over a socket, of a file registered with io_uring, of a thread that has a table of its
 * own. That nobody has the lock is not said without it. But beside a holder who was found such a second one is not
 * seen here, nor one who waits with a descriptor that another thread has closed meanwhile.
 */
static bool look_beside_table(struct safe__holder_query *query) {
  query->wants_openers = true;
  safe__search(query, SAFE__EVERY);
  return saw_all(query) && catch_holder(query) && safe__nobody_queues(query) && saw_all(query);
}

/* ---- With time, and with it. */

static bool has_nameless_waiters(const struct safe__holder_query *query) {
  size_t at;

  for (at = 0; at < query->own_lines; at++)
    if (query->table[at].waits && query->table[at].pid < 0) return true;
  return false;
}

static bool has_missing(const struct safe__holder_query *query) {
  size_t at;

  for (at = 0; at < query->own_lines; at++)
    if (!query->table[at].waits && !is_found(query, &query->table[at])) return true;
  return false;
}

/* How many holders have no name. searched: all were looked at just before. Then it is looked again at those who may
   have the lock now, and only if that does not explain the table, at all. */
static int look_by_table(struct safe__holder_query *query, bool searched) {
  enum safe__extent extent;
  int nameless;

  read_table(query);
  query->wants_openers = has_nameless_waiters(query);
  extent = extent_of(query);
  if (extent == SAFE__EVERY && searched && query->table != NULL && !query->no_memory) extent = SAFE__LIKELY;
  safe__search(query, extent);
  if (query->partly && has_missing(query)) safe__search(query, SAFE__EVERY);
  nameless = tell(query);
  safe__tell_waiters(query);
  return nameless;
}

/* The table's share of the time is kept for it: what was found until then is where the second search begins. */
static int look_well(struct safe__holder_query *query) {
  int64_t now = safe__os_now(), deadline = query->deadline;
  bool late;

  if (!safe__descriptors_tell_all()) return look_by_table(query, false);
  query->deadline = now + (deadline - now) / 2;
  if (look_beside_table(query)) tell(query);
  if (query->list->count > 0) return 0;
  late = query->late;
  query->deadline = deadline;
  query->late = false;
  return look_by_table(query, !late);
}

/* ---- Without. */

#define TABLE_MS 25 /* left: enough for /proc/locks even where a grace period takes long */

/* Shortly before the deadline of a lock: all that the descriptors tell, and only if that is nothing, the table. */
static int look_fast(struct safe__holder_query *query) {
  safe__search(query, SAFE__EVERY);
  tell(query);
  if (query->list->count > 0 || query->unreadable == 0 || query->late) return 0;
  if (query->deadline - safe__os_now() < TABLE_MS * SAFE__MS) return 0;
  read_table(query);
  return add_takers(query);
}

static void say_nameless(struct safe__holder_query *query, int nameless) {
  const char *are = nameless == 1 ? "lock is" : "locks are";

  if (query->unreadable > 0 || query->no_memory || !safe__sees_all_processes())
    safe__holder_unknown(query->list, "%d %s held by processes that cannot be looked at from here.", nameless, are);
  else
    safe__holder_unknown(query->list,
                         "%d %s held through an open file that is nobody's descriptor: it is on its way over a "
                         "socket, or was let go of just now.",
                         nameless, are);
}

static void say_replaced(struct safe__holder_query *query) {
  struct safe__proc_stat stat;

  if (!safe__calm_stat(query->replaced_by, &stat)) return;
  safe__make_printable(stat.name);
  safe__holder_note(query->list,
                    "%s[%lld] holds a lock on a file that was at this path before and was replaced or removed.",
                    stat.name, (long long)safe__host_of(query->replaced_by, &stat));
}

static bool somebody_holds(const safe_holder_list *list) {
  size_t at;

  for (at = 0; at < list->count; at++)
    if (list->items[at].role == SAFE_HOLDER_HOLDS) return true;
  return false;
}

/* Whether the table has shown that nobody can be missing, whoever may not be looked at: there is no lock, or none
   that anybody could share. */
static bool is_complete(const struct safe__holder_query *query) {
  size_t at, held = 0;

  if (query->table == NULL || !safe__sees_all_processes()) return false;
  for (at = 0; at < query->own_lines; at++) held += !query->table[at].waits;
  return held == 0 || !has_shareable(query->table, query->own_lines);
}

static void say_unknown(struct safe__holder_query *query, int nameless) {
  bool complete = is_complete(query) && nameless == 0;

  if (query->replaced_by != 0 && nameless == 0 && !somebody_holds(query->list)) say_replaced(query);
  if (nameless > 0 && !query->late) say_nameless(query, nameless);
  if (query->unreadable > 0 && !complete)
    safe__holder_unknown(query->list, "The descriptors of %d process%s may not be read by this user.",
                         query->unreadable, query->unreadable == 1 ? "" : "es");
  if (query->no_memory)
    safe__holder_unknown(query->list, "There was not enough memory, or there were not enough descriptors, to see all.");
  if (query->late && (!complete || query->own_lines > 0))
    safe__holder_unknown(query->list, "The time for looking was over before all processes were seen.");
  if (!safe__sees_all_processes())
    safe__holder_unknown(query->list, "Processes outside of this container cannot be seen.");
}

void safe__find_holders(const struct safe__seen_file *file, int64_t deadline, bool fast, safe_holder_list *list) {
  struct safe__holder_query query = {.file = file, .list = list, .deadline = deadline};
  int nameless = fast ? look_fast(&query) : look_well(&query);

  say_unknown(&query, nameless);
  forget(&query);
}

int safe__os_holders(const char *path, int64_t deadline, safe_holder_list *list, safe_error *error) {
  bool fast = list->file != NULL;
  struct safe__seen_file seen;
  int code = fast ? safe__see_open_file(list->file, &seen, error) : safe__see_path(path, deadline, &seen, error);

  if (code == SAFE_OK) safe__find_holders(&seen, deadline, fast, list);
  return code;
}
