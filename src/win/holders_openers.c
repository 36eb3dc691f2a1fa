/* SPDX-License-Identifier: MIT */
/*
 * Who has the file open: no call of Windows names the owner of a lock. Asked is FileProcessIdsUsingFileInformation,
 * on a handle that may do nothing but ask; never NtQueryObject on other processes' handles, which hangs on a
 * synchronous one that is busy. Even so the opening may block (a dead server), hence the thread.
 */
#include <string.h>
#include <wchar.h>

#include "task.h"
#include "wait_overlapped.h"

#define PROCESS_IDS_USING_FILE 47 /* FileProcessIdsUsingFileInformation, since Vista */
#define LENGTH_MISMATCH ((LONG)0xC0000004)
#define MOST_BYTES (1024 * 1024)
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

struct id_list {
  ULONG count;
  ULONG_PTR ids[1];
};

typedef LONG(NTAPI *query_file)(HANDLE file, void *io_status, void *into, ULONG length, int what);

struct query {
  struct safe__win_task task;
  wchar_t *path;    /* or NULL, and then */
  HANDLE copy;      /* of the caller's handle, which he may close meanwhile */
  int32_t method;   /* only what conflicts with it; SAFE_METHOD_DEFAULT: all */
  safe_holder self; /* a holder of this process, but for its handle, role and mode */
  safe_holder_list found;
  safe_error error; /* code SAFE_OK: none */
};

static void name_of(DWORD pid, char *name, size_t size) {
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  wchar_t path[1024], *base;
  DWORD length = sizeof(path) / sizeof(path[0]);

  name[0] = '\0';
  if (process == NULL) return;
  if (QueryFullProcessImageNameW(process, 0, path, &length)) {
    base = wcsrchr(path, L'\\');
    safe__win_narrow(base != NULL ? base + 1 : path, name, size);
  }
  CloseHandle(process);
}

static void add_opener(struct query *query, DWORD pid) {
  safe_holder holder = {pid, -1, SAFE_HOLDER_OPENS, -1, -1, {0}};

  /* The question itself has the file open. What this process holds is known better (own_locks.c). */
  if (pid == 0 || pid == GetCurrentProcessId()) return;
  name_of(pid, holder.name, sizeof(holder.name));
  safe__holder_add(&query->found, &holder);
}

static void add_own(const struct safe__win_own_lock *own, void *context) {
  struct query *query = context;

  if (query->method != SAFE_METHOD_DEFAULT && query->method != own->method) return;
  query->self.handle = (int64_t)(intptr_t)own->file;
  query->self.role = own->role;
  query->self.mode = own->mode;
  query->self.method = own->method;
  safe__holder_add(&query->found, &query->self);
}

static void ask_ourselves(struct query *query, HANDLE file) {
  struct safe__file_id id;

  if (!safe__win_file_id(file, &id)) return;
  query->self.pid = GetCurrentProcessId();
  name_of(GetCurrentProcessId(), query->self.name, sizeof(query->self.name));
  safe__win_own_locks(&id, add_own, query);
}

static void ask_openers(struct query *query, HANDLE file) {
  query_file ask = (query_file)safe__win_find(L"ntdll.dll", "NtQueryInformationFile");
  ULONG_PTR io_status[2];
  struct id_list *list = NULL;
  ULONG room, at;
  LONG status = LENGTH_MISMATCH;

  for (room = 4096; ask != NULL && status == LENGTH_MISMATCH && room <= MOST_BYTES; room *= 4) {
    safe__free(list);
    list = safe__alloc(room);
    if (list == NULL) break;
    status = ask(file, io_status, list, room, PROCESS_IDS_USING_FILE);
  }
  if (list != NULL && status >= 0)
    for (at = 0; at < list->count; at++) add_opener(query, (DWORD)list->ids[at]);
  else
    safe__holder_unknown(&query->found, "The system did not say which processes have the file open (status 0x%08lx).",
                         (unsigned long)status);
  safe__free(list);
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
    ask_ourselves(query, file);
    ask_openers(query, file);
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

int safe__os_holders(const char *path, int64_t deadline, safe_holder_list *list, safe_error *error) {
  struct query *query = safe__alloc(sizeof(*query));
  int code;

  if (query == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  safe__error_clear(&query->error);
  query->task.run = run;
  query->task.free = free_query;
  query->method = list->method;
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
