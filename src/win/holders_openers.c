/* SPDX-License-Identifier: MIT */
/*
 * Who has the file open: no call of Windows names the owner of a lock. Asked is FileProcessIdsUsingFileInformation,
 * on a handle that may do nothing but ask, and where that is not answered the Restart Manager; never NtQueryObject on
 * other processes' handles, which hangs on a synchronous one that is busy. Even so the opening may block (a dead
 * server), hence the thread.
 */
#include "holders_openers.h"

#include <string.h>

#include "processes.h"
#include "restart_manager.h"
#include "task.h"
#include "wait_overlapped.h"

#define MOST_BYTES (1024 * 1024)
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

struct query {
  struct safe__win_task task;
  wchar_t *path;                        /* or NULL, and then */
  HANDLE copy;                          /* of the caller's handle, which he may close meanwhile */
  const struct safe__file_id *expected; /* or NULL; points to: */
  struct safe__file_id id;
  int32_t method;   /* only what conflicts with it; SAFE_METHOD_DEFAULT: all */
  safe_holder self; /* a holder of this process, but for its handle, role and mode */
  safe_holder_list found;
  safe_error error; /* code SAFE_OK: none */
};

/* The question itself has the file open. What this process holds is known better (own_locks.c). */
static bool add_opener(struct query *query, DWORD pid) {
  safe_holder holder = {0};

  if (pid == 0 || pid == GetCurrentProcessId()) return true;
  holder.pid = pid;
  holder.handle = -1;
  holder.role = SAFE_HOLDER_OPENS;
  holder.mode = holder.method = -1;
  safe__win_name_of(pid, holder.name, sizeof(holder.name));
  return safe__holder_add(&query->found, &holder);
}

static void add_own(const struct safe__win_own_lock *own, void *context) {
  struct query *query = context;

  if (query->method != SAFE_METHOD_DEFAULT && query->method != own->method) return;
  query->self.handle = (int64_t)(intptr_t)own->file;
  query->self.role = own->role;
  query->self.mode = own->mode;
  query->self.method = own->method;
  query->self.since_ms = own->since_ms;
  query->self.offset = own->offset;
  query->self.length = own->length;
  safe__holder_add(&query->found, &query->self);
}

static void ask_ourselves(struct query *query, const struct safe__file_id *id) {
  query->self.pid = GetCurrentProcessId();
  query->self.via = SAFE_VIA_LOCKED;
  query->self.state = 'R'; /* it looks */
  safe__win_name_of(GetCurrentProcessId(), query->self.name, sizeof(query->self.name));
  safe__win_own_locks(id, add_own, query);
}

static LONG ask_file(struct query *query, HANDLE file) {
  ULONG_PTR io_status[2];
  struct safe__win_using_list *list = NULL;
  LONG status = SAFE__STATUS_LENGTH_MISMATCH;
  ULONG room, at;
  bool added = true;

  for (room = 4096; status == SAFE__STATUS_LENGTH_MISMATCH && room <= MOST_BYTES; room *= 4) {
    safe__free(list);
    list = safe__alloc(room);
    if (list == NULL) break;
    status = safe__win_look_calls.query_file(file, io_status, list, room, SAFE__ASK_PROCESSES_USING);
  }
  for (at = 0; status >= 0 && at < list->count && added; at++) added = add_opener(query, (DWORD)list->pids[at]);
  if (list == NULL || !added) safe__fail_memory(&query->error, SAFE_STAGE_INSPECT);
  safe__free(list);
  return status;
}

static void ask_openers(struct query *query, HANDLE file) {
  LONG status = ask_file(query, file);
  DWORD failure = ERROR_PATH_NOT_FOUND;
  wchar_t *path;

  if (status >= 0 || query->error.code != SAFE_OK) return;
  path = safe__win_path_of(file);
  if (path != NULL || query->path != NULL)
    failure = safe__win_ask_restart_manager(path != NULL ? path : query->path, &query->found);
  safe__free(path);
  if (failure == ERROR_NO_DATA)
    safe__holder_unknown(&query->found,
                         "The system did not say who has the file open (status 0x%08lx); its Restart Manager named "
                         "nobody, not even this process.",
                         (unsigned long)status);
  else if (failure != ERROR_SUCCESS)
    safe__holder_unknown(&query->found,
                         "Neither the system said who has the file open (status 0x%08lx) nor its Restart Manager "
                         "(error %lu).",
                         (unsigned long)status, (unsigned long)failure);
}

static void add_states(struct query *query) {
  struct safe__win_processes all = {NULL, 0, 0};
  bool listed = false;
  size_t at;

  for (at = 0; at < query->found.count; at++) {
    safe_holder *holder = &query->found.items[at];
    if (holder->role != SAFE_HOLDER_OPENS) continue;
    if (!listed) safe__win_processes_take(&all);
    listed = true;
    holder->state = safe__win_process_state(all.bytes != NULL ? &all : NULL, holder->pid, NULL);
  }
  safe__win_processes_free(&all);
}

static void ask(struct query *query, HANDLE file) {
  struct safe__file_id id;
  bool known = safe__win_file_id(file, &id);

  if (query->expected != NULL && (!known || !safe__win_same_file(&id, query->expected))) {
    safe__holder_unknown(&query->found, "There is another file at that path now.");
    return;
  }
  if (known) ask_ourselves(query, &id);
  ask_openers(query, file);
  add_states(query);
}

/* Never the caller's own file object, which may be synchronous and busy. */
static HANDLE open_to_ask(const struct query *query) {
  if (query->path == NULL) return ReOpenFile(query->copy, FILE_READ_ATTRIBUTES, SHARE_ALL, FILE_FLAG_BACKUP_SEMANTICS);
  return CreateFileW(query->path, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS,
                     NULL);
}

static void run(struct safe__win_task *task) {
  struct query *query = (struct query *)task;
  HANDLE file = open_to_ask(query);

  if (file == INVALID_HANDLE_VALUE) {
    safe__fail_os(&query->error, GetLastError(), SAFE_STAGE_INSPECT, -1, "The file could not be looked at");
  } else {
    ask(query, file);
    CloseHandle(file);
  }
  safe__win_task_deliver(task);
}

static void free_query(struct safe__win_task *task) {
  struct query *query = (struct query *)task;

  safe__win_close(&query->copy);
  safe__free(query->found.items);
  safe__free(query->path);
  safe__free(query);
}

static int hand_over(struct query *query, safe_holder_list *list, safe_error *error) {
  size_t at;

  if (query->task.failure != 0)
    return safe__fail_os(error, query->task.failure, SAFE_STAGE_INSPECT, -1, "The query could not be made");
  if (query->error.code != SAFE_OK) {
    *error = query->error;
    return error->code;
  }
  for (at = 0; at < query->found.count; at++)
    if (!safe__holder_add(list, &query->found.items[at])) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  if (query->found.unknown[0] != '\0') safe__holder_unknown(list, "%s", query->found.unknown);
  return SAFE_OK;
}

static int name_file(struct query *query, const char *path, const struct safe__file *file, safe_error *error) {
  HANDLE self = GetCurrentProcess();
  int code;

  if (path != NULL) {
    code = safe__win_path(path, &query->path);
    return code == SAFE_OK ? code : safe__win_path_failed(code, SAFE_STAGE_INSPECT, error);
  }
  if (DuplicateHandle(self, safe__os_file_handle(file), self, &query->copy, 0, FALSE, DUPLICATE_SAME_ACCESS))
    return SAFE_OK;
  return safe__fail_os(error, GetLastError(), SAFE_STAGE_INSPECT, -1, "The file's handle could not be copied");
}

int safe__win_find_holders(const char *path, const struct safe__file_id *expected, int64_t deadline,
                           safe_holder_list *list, safe_error *error) {
  struct query *query = safe__alloc(sizeof(*query));
  int code;

  if (query == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  safe__error_clear(&query->error);
  query->task.run = run;
  query->task.look = true;
  query->task.free = free_query;
  query->method = list->method;
  if (expected != NULL) {
    query->id = *expected;
    query->expected = &query->id;
  }
  code = name_file(query, path, list->file, error);
  if (code == SAFE_OK) code = safe__win_task_start(&query->task, SAFE_STAGE_INSPECT, error);
  if (code == SAFE_OK) {
    if (safe__win_task_wait(&query->task, deadline, 0) != SAFE_OK) {
      safe__holder_unknown(list, "The system did not say in time which processes have the file open.");
      return SAFE_OK;
    }
    code = hand_over(query, list, error);
  }
  free_query(&query->task);
  return code;
}

int safe__os_holders(const char *path, int64_t deadline, safe_holder_list *list, safe_error *error) {
  return safe__win_find_holders(path, NULL, deadline, list, error);
}
