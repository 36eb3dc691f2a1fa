/* SPDX-License-Identifier: MIT */
/*
 * Which handles a careless child would inherit. A table of all of them is had without touching one
 * (ProcessHandleInformation), and so are their types; but what a file is called is a question to the file, which waits
 * for a synchronous handle that is busy. So those are asked on a thread that can be left behind, at the handle that
 * does not answer: the next thread goes on behind it. Another process's handles are not asked at all.
 */
#include <string.h>

#include "handle_kind.h"
#include "own_locks.h"
#include "task.h"

#define PATIENCE 10  /* with one handle: such a part of the time that is left */
#define MOST_STUCK 8 /* threads that are left behind: the list itself is worth more than these answers */
#define MOST_BYTES (64u * 1024 * 1024)
#define LAST_VALUE 0x1000000           /* of handles: the system gives no process more than 2^24 */
#define GAP 4096                       /* handles: they are given from the lowest free value on */
#define TERMINATING ((LONG)0xC000010A) /* STATUS_PROCESS_IS_TERMINATING */
#define NOT_LISTED (-1)

struct item {
  safe_leak leak;
  volatile LONG owner; /* who may write to it from now on, if anybody */
  bool ask;            /* it is a file, a pipe or the like, of this process */
};
enum { NOBODY_YET, THREAD, CALLER };

struct audit {
  struct safe__win_task task;
  DWORD pid;
  struct item *items;
  size_t count, room;
  volatile LONG done; /* so many of them are told of, or NOT_LISTED */
  bool quiet;         /* ask no file: too many that were asked have not answered yet */
  safe_error error;
};

/* ---- The list. On the task's thread. */

static bool add(struct audit *audit, HANDLE handle, struct item **added) {
  struct item *items = audit->items;

  if (audit->count == audit->room) {
    audit->room = audit->room == 0 ? 32 : audit->room * 2;
    items = safe__realloc(items, audit->room * sizeof(*items));
    if (items == NULL) {
      safe__fail_memory(&audit->error, SAFE_STAGE_INSPECT);
      return false;
    }
    audit->items = items;
  }
  *added = &items[audit->count++];
  memset(*added, 0, sizeof(**added));
  (*added)->leak.handle = (int64_t)(intptr_t)handle;
  (*added)->leak.lock_mode = (*added)->leak.lock_method = -1;
  return true;
}

static LONG ask_table(HANDLE process, struct safe__win_handle_table **table) {
  LONG status = SAFE__STATUS_LENGTH_MISMATCH;
  ULONG room = 64u * 1024, length = 0;

  *table = NULL;
  while (status == SAFE__STATUS_LENGTH_MISMATCH && room <= MOST_BYTES) {
    safe__free(*table);
    *table = safe__alloc(room);
    if (*table == NULL) break;
    status = safe__win_look_calls.query_process(process, SAFE__ASK_PROCESS_HANDLES, *table, room, &length);
    room = length > room ? length + length / 4 : room * 2;
  }
  if (status >= 0) return status;
  safe__free(*table);
  *table = NULL;
  return status;
}

static void use_table(struct audit *audit, const struct safe__win_handle_table *table, bool own) {
  struct safe__win_type_names names = {NULL, 0};
  struct item *item;
  ULONG_PTR at;

  safe__win_type_names_get(&names);
  for (at = 0; at < table->count; at++) {
    if ((table->entries[at].attributes & SAFE__HANDLE_INHERIT) == 0) continue;
    if (!add(audit, table->entries[at].handle, &item)) break;
    item->ask = !safe__win_kind_by_index(&names, table->entries[at].type, &item->leak) && own;
  }
  safe__win_type_names_free(&names);
}

/* False: there is no such handle. */
static bool consider(struct audit *audit, HANDLE handle) {
  struct item *item;
  DWORD flags;

  if (!GetHandleInformation(handle, &flags)) return false;
  if ((flags & HANDLE_FLAG_INHERIT) != 0 && add(audit, handle, &item))
    item->ask = !safe__win_kind_by_handle(handle, &item->leak);
  return true;
}

static void try_values(struct audit *audit) {
  uintptr_t value, last = 0;

  for (value = 4; value < LAST_VALUE && value < last + GAP * 4 && audit->error.code == SAFE_OK; value += 4)
    if (consider(audit, (HANDLE)value)) last = value;
}

/* Before Windows 8, and on Wine, which does not fill in the attributes: the values of the handles of the machine. */
static void list_by_value(struct audit *audit) {
  struct safe__win_all_handles *all = NULL;
  LONG status = SAFE__STATUS_LENGTH_MISMATCH;
  ULONG room, length = 0;
  ULONG_PTR at;

  for (room = 256u * 1024; status == SAFE__STATUS_LENGTH_MISMATCH && room <= MOST_BYTES; room *= 4) {
    safe__free(all);
    all = safe__alloc(room);
    if (all == NULL) break;
    status = safe__win_look_calls.query_system(SAFE__ASK_ALL_HANDLES, all, room, &length);
  }
  if (all == NULL)
    safe__fail_memory(&audit->error, SAFE_STAGE_INSPECT);
  else if (status < 0)
    try_values(audit);
  else
    for (at = 0; at < all->count && audit->error.code == SAFE_OK; at++)
      if (all->entries[at].pid == audit->pid) consider(audit, all->entries[at].handle);
  safe__free(all);
}

static void list_own(struct audit *audit) {
  struct safe__win_handle_table *table;

  if (ask_table(GetCurrentProcess(), &table) >= 0)
    use_table(audit, table, true);
  else
    list_by_value(audit);
  safe__free(table);
}

static void cannot_open(struct audit *audit, DWORD failure) {
  if (failure == ERROR_INVALID_PARAMETER)
    safe__fail(&audit->error, SAFE_ENOENT, SAFE_STAGE_INSPECT, -1, "There is no process %lu.",
               (unsigned long)audit->pid);
  else
    safe__fail_os(&audit->error, failure, SAFE_STAGE_INSPECT, -1, "Process %lu cannot be looked at",
                  (unsigned long)audit->pid);
}

static void list_others(struct audit *audit) {
  HANDLE process = safe__win_look_calls.open_process(PROCESS_QUERY_INFORMATION | SYNCHRONIZE, FALSE, audit->pid);
  struct safe__win_handle_table *table = NULL;
  LONG status;

  if (process == NULL) {
    cannot_open(audit, GetLastError());
    return;
  }
  status = ask_table(process, &table);
  if (status >= 0)
    use_table(audit, table, false);
  else if (status == TERMINATING || safe__win_signalled(process))
    safe__fail(&audit->error, SAFE_ENOENT, SAFE_STAGE_INSPECT, -1, "Process %lu has ended.", (unsigned long)audit->pid);
  else
    safe__fail(&audit->error, SAFE_ENOTSUP, SAFE_STAGE_INSPECT, -1,
               "This system does not tell which handles another process has (status 0x%08lx).", (unsigned long)status);
  safe__free(table);
  CloseHandle(process);
}

static void note_lock(safe_leak *leak) {
  struct safe__win_own_lock own;

  if (!safe__win_own_lock_of((HANDLE)(intptr_t)leak->handle, &own) || own.role != SAFE_HOLDER_HOLDS) return;
  leak->lock_mode = own.mode;
  leak->lock_method = own.method;
}

/* False: the caller has given up at this item, and reads all of them. */
static bool tell(struct audit *audit, struct item *item) {
  safe_leak leak = item->leak;

  if (item->ask && !audit->quiet) safe__win_kind_ask((HANDLE)(intptr_t)leak.handle, &leak);
  if (InterlockedCompareExchange(&item->owner, THREAD, NOBODY_YET) != NOBODY_YET) return false;
  item->leak = leak;
  InterlockedIncrement(&audit->done);
  return true;
}

static void run(struct safe__win_task *task) {
  struct audit *audit = (struct audit *)task;
  size_t at;

  if (audit->done == NOT_LISTED) {
    if (audit->pid == GetCurrentProcessId())
      list_own(audit);
    else
      list_others(audit);
    InterlockedExchange(&audit->done, 0);
  }
  for (at = 0; at < audit->count && audit->error.code == SAFE_OK; at++)
    if (!tell(audit, &audit->items[at])) break;
  safe__win_task_deliver(task);
}

static void free_audit(struct safe__win_task *task) {
  struct audit *audit = (struct audit *)task;

  safe__free(audit->items);
  safe__free(audit);
}

/* ---- The caller's side. */

static bool is_standard(int64_t handle) {
  static const DWORD which[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
  size_t at;

  for (at = 0; at < sizeof(which) / sizeof(which[0]); at++)
    if (GetStdHandle(which[at]) == (HANDLE)(intptr_t)handle) return true;
  return false;
}

/* The first ones, which the thread does not touch any more. */
static int harvest(const struct audit *audit, size_t count, uint32_t flags, safe_handle_list *list, safe_error *error) {
  bool own = audit->pid == GetCurrentProcessId();
  safe_leak leak;
  size_t at;

  for (at = 0; at < count; at++) {
    leak = audit->items[at].leak;
    leak.standard = own && is_standard(leak.handle);
    if (leak.standard && (flags & SAFE_AUDIT_STANDARD) == 0) continue;
    if (own) note_lock(&leak);
    if (!safe__leak_add(list, &leak)) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  }
  return SAFE_OK;
}

static struct audit *make(DWORD pid) {
  struct audit *audit = safe__alloc(sizeof(*audit));

  if (audit == NULL) return NULL;
  audit->pid = pid;
  audit->done = NOT_LISTED;
  audit->quiet = safe__win_parked_looks() >= MOST_STUCK;
  audit->task.look = true;
  audit->task.run = run;
  audit->task.free = free_audit;
  safe__error_clear(&audit->error);
  return audit;
}

/* What is left behind the one that does not answer, which is told of as far as it is known without its answer. */
static struct audit *make_rest(const struct audit *audit, size_t from) {
  struct audit *rest = make(audit->pid);
  size_t count = audit->count - from;

  if (rest == NULL) return NULL;
  rest->items = safe__alloc((count + 1) * sizeof(*rest->items));
  if (rest->items == NULL) {
    free_audit(&rest->task);
    return NULL;
  }
  memcpy(rest->items, audit->items + from, count * sizeof(*rest->items));
  rest->count = rest->room = count;
  rest->done = 0;
  rest->items[0].ask = false;
  rest->items[0].owner = NOBODY_YET;
  return rest;
}

/* True once it has ended; false at the deadline, or at a handle that does not answer. */
static bool await(struct audit *audit, int64_t deadline) {
  int64_t patience = (deadline - safe__os_now()) / PATIENCE;
  LONG seen = audit->done, before;

  do {
    before = seen;
    if (safe__win_wait(&audit->task.thread, 1, safe__deadline_min(deadline, safe__os_now() + patience)) ==
        WAIT_OBJECT_0)
      return true;
    seen = InterlockedCompareExchange(&audit->done, 0, 0);
  } while (safe__os_now() < deadline && (seen == NOT_LISTED || seen != before));
  return false;
}

/* How many are told of; the thread writes to none of the others from here on. */
static size_t take_over(struct audit *audit) {
  LONG done = InterlockedCompareExchange(&audit->done, 0, 0);

  while ((size_t)done < audit->count &&
         InterlockedCompareExchange(&audit->items[done].owner, CALLER, NOBODY_YET) != NOBODY_YET) {
    SwitchToThread(); /* it writes to that one just now */
    done = InterlockedCompareExchange(&audit->done, 0, 0);
  }
  return (size_t)done;
}

static void say_busy(const struct audit *audit, size_t at, safe_handle_list *list) {
  safe__leak_unknown(list, "What handle 0x%llx is of cannot be asked while it is busy.",
                     (unsigned long long)audit->items[at].leak.handle);
}

/* Leaves the thread behind. *next: who goes on; NULL: nobody, and then what could be found is in the list. */
static int leave(struct audit *audit, uint32_t flags, struct audit **next, safe_handle_list *list, safe_error *error) {
  bool listed = InterlockedCompareExchange(&audit->done, 0, 0) != NOT_LISTED;
  size_t done = listed ? take_over(audit) : 0;
  int code = SAFE_OK;

  if (!listed) code = safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_INSPECT, -1, "The handles were not listed in time.");
  if (listed && done < audit->count) {
    *next = make_rest(audit, done);
    if (*next == NULL) code = safe__fail_memory(error, SAFE_STAGE_INSPECT);
    say_busy(audit, done, list);
  }
  if (code == SAFE_OK) code = harvest(audit, done, flags, list, error);
  if (safe__win_task_wait(&audit->task, 0, 0) == SAFE_OK) free_audit(&audit->task);
  return code;
}

static void say_quiet(const struct audit *audit, safe_handle_list *list) {
  size_t at;

  for (at = 0; at < audit->count; at++)
    if (audit->items[at].ask) {
      safe__leak_unknown(list, "What files and pipes are was not asked, or not of all: there was no time, or others "
                               "that are busy have not answered yet.");
      return;
    }
}

static int finish(struct audit *audit, uint32_t flags, safe_handle_list *list, safe_error *error) {
  int code;

  if (audit->task.failure != 0)
    code = safe__fail_os(error, audit->task.failure, SAFE_STAGE_INSPECT, -1, "The handles could not be looked at");
  else if (audit->error.code != SAFE_OK)
    code = (*error = audit->error).code;
  else
    code = harvest(audit, audit->count, flags, list, error);
  if (audit->quiet) say_quiet(audit, list);
  free_audit(&audit->task);
  return code;
}

static int put(struct audit *audit, uint32_t flags, int64_t deadline, safe_handle_list *list, safe_error *error) {
  struct audit *next;
  int code = SAFE_OK;

  for (; audit != NULL && code == SAFE_OK; audit = next) {
    next = NULL;
    audit->quiet = audit->quiet || safe__os_now() >= deadline;
    if (audit->quiet && audit->done != NOT_LISTED) { /* nothing is left to be done on a thread */
      code = finish(audit, flags, list, error);
      continue;
    }
    code = safe__win_task_start(&audit->task, SAFE_STAGE_INSPECT, error);
    if (code != SAFE_OK) {
      free_audit(&audit->task);
    } else if (await(audit, deadline)) {
      safe__win_task_wait(&audit->task, SAFE__NEVER, 0);
      code = finish(audit, flags, list, error);
    } else {
      code = leave(audit, flags, &next, list, error);
    }
  }
  if (audit != NULL) free_audit(&audit->task);
  return code;
}

int safe__os_audit(int64_t pid, uint32_t flags, int64_t deadline, safe_handle_list *list, safe_error *error) {
  bool own = pid == safe__os_self();
  struct audit *audit;
  int code;

  if (pid > UINT32_MAX)
    return safe__fail(error, SAFE_ENOENT, SAFE_STAGE_INSPECT, -1, "There is no process %lld.", (long long)pid);
  audit = make((DWORD)pid);
  if (audit == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  code = put(audit, flags, deadline, list, error);
  if (code == SAFE_OK && !own)
    safe__leak_unknown(list, "Which files and pipes another process's handles are of is not asked, as the question can "
                             "hang; nor is it known which of them are its standard streams.");
  return code;
}
