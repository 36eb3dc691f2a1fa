/* SPDX-License-Identifier: MIT */
#include "test_win_system.h"

#include "test_win.h"

#define PLACES 1024
#define LENGTH_MISMATCH SAFE__STATUS_LENGTH_MISMATCH

struct chain {
  DWORD tid, failure;
  BOOL circle;
  DWORD count;
  WAITCHAIN_NODE_INFO nodes[16];
};

struct played {
  struct safe__win_process process;
  wchar_t name[64];
  struct safe__win_thread threads[8];
};

struct system_orders system_orders;

static struct {
  ULONG_PTR using_pids[PLACES];
  ULONG using_count;
  RM_PROCESS_INFO apps[16];
  UINT app_count;
  struct played processes[16];
  int process_count;
  struct {
    HANDLE handle;
    DWORD pid;
  } opened[64];
  int opened_count;
  struct {
    DWORD pid;
    ULONG flags;
    bool denied, debugged;
  } facts[16];
  int fact_count;
  struct chain chains[16];
  int chain_count;
  struct safe__win_handle_entry handles[16];
  int handle_count;
  struct {
    ULONG index;
    const wchar_t *name;
  } types[8];
  ULONG type_count;
  int sessions, asked;
} world;

static struct safe__win_look_calls real;

/* ---- Who has a file open. */

static LONG NTAPI play_query_file(HANDLE file, void *io_status, void *into, ULONG room, int what) {
  struct safe__win_using_list *list = into;

  (void)file, (void)io_status;
  assert_int_equal(what, 47);
  if (system_orders.using_waits != NULL) WaitForSingleObject(system_orders.using_waits, INFINITE);
  if (system_orders.using_status != 0) return system_orders.using_status;
  if (room < offsetof(struct safe__win_using_list, pids) + world.using_count * sizeof(ULONG_PTR))
    return LENGTH_MISMATCH;
  list->count = world.using_count;
  memcpy(list->pids, world.using_pids, world.using_count * sizeof(ULONG_PTR));
  return 0;
}

static DWORD WINAPI play_rm_start(DWORD *session, DWORD flags, wchar_t *key) {
  assert_int_equal(flags, 0);
  wcscpy(key, L"0123456789abcdef0123456789abcdef"); /* all of it: 32 characters and the NUL */
  *session = 7;
  world.sessions++;
  return ERROR_SUCCESS;
}

static DWORD WINAPI play_rm_register(DWORD session, UINT file_count, const wchar_t **files, UINT process_count,
                                     RM_UNIQUE_PROCESS *processes, UINT service_count, const wchar_t **services) {
  (void)processes, (void)services;
  assert_int_equal(session, 7);
  assert_int_equal(file_count, 1);
  assert_true(wcsncmp(files[0], L"\\\\?\\", 4) != 0);
  assert_int_equal(process_count + service_count, 0);
  return ERROR_SUCCESS;
}

static DWORD WINAPI play_rm_list(DWORD session, UINT *needed, UINT *count, RM_PROCESS_INFO *found, DWORD *reasons) {
  assert_int_equal(session, 7);
  world.asked++;
  *reasons = 0;
  if (system_orders.rm_failure != 0) return system_orders.rm_failure;
  *needed = world.app_count;
  if (system_orders.rm_grows > 0) { /* there is never enough room while it grows */
    system_orders.rm_grows--;
    return ERROR_MORE_DATA;
  }
  if (*count < world.app_count) return ERROR_MORE_DATA;
  memcpy(found, world.apps, world.app_count * sizeof(*found));
  *count = world.app_count;
  return ERROR_SUCCESS;
}

static DWORD WINAPI play_rm_end(DWORD session) {
  assert_int_equal(session, 7);
  world.sessions--;
  return ERROR_SUCCESS;
}

/* ---- Processes. */

static LONG NTAPI play_query_system(int what, void *into, ULONG room, ULONG *length) {
  char *at = into;
  int index;
  ULONG used = 0;

  if (what != 5) return real.query_system(what, into, room, length);
  if (system_orders.processes_status != 0) return system_orders.processes_status;
  *length = (ULONG)(world.process_count * (int)sizeof(struct played));
  if (room < *length) return LENGTH_MISMATCH;
  for (index = 0; index < world.process_count; index++) {
    struct played *played = &world.processes[index];
    struct safe__win_process *process = (struct safe__win_process *)(void *)(at + used);
    ULONG threads = played->process.thread_count * (ULONG)sizeof(played->threads[0]);
    wchar_t *name = (wchar_t *)(void *)(at + used + sizeof(*process) + threads);

    *process = played->process;
    memcpy(process + 1, played->threads, threads);
    memcpy(name, played->name, sizeof(played->name));
    process->name.text = name;
    process->next =
      index + 1 == world.process_count ? 0 : (ULONG)sizeof(*process) + threads + (ULONG)sizeof(played->name);
    used += process->next;
  }
  return 0;
}

static int fact_of(DWORD pid) {
  int at;

  for (at = 0; at < world.fact_count; at++)
    if (world.facts[at].pid == pid) return at;
  return -1;
}

static int make_fact(DWORD pid) {
  int at = fact_of(pid);

  if (at >= 0) return at;
  world.facts[world.fact_count].pid = pid;
  return world.fact_count++;
}

/* The handle of one that is played is an event's. */
static HANDLE WINAPI play_open_process(DWORD access, BOOL inherit, DWORD pid) {
  int at = fact_of(pid);
  HANDLE handle;

  if (at >= 0 && world.facts[at].denied) {
    SetLastError(ERROR_ACCESS_DENIED);
    return NULL;
  }
  if (pid < ANYBODY_FROM) return real.open_process(access, inherit, pid);
  if (at < 0) {
    SetLastError(ERROR_INVALID_PARAMETER);
    return NULL;
  }
  handle = CreateEventW(NULL, TRUE, FALSE, NULL);
  world.opened[world.opened_count % 64].handle = handle;
  world.opened[world.opened_count++ % 64].pid = pid;
  return handle;
}

static DWORD pid_of(HANDLE handle) {
  int at;

  for (at = world.opened_count - 1; at >= 0 && at >= world.opened_count - 64; at--)
    if (world.opened[at % 64].handle == handle) return world.opened[at % 64].pid;
  return GetProcessId(handle);
}

static LONG answer_basic(DWORD pid, void *into, ULONG room) {
  struct safe__win_basic *basic = into;
  int at = fact_of(pid);

  if (room != sizeof(*basic) || basic->size != sizeof(*basic)) return LENGTH_MISMATCH;
  basic->pid = pid;
  basic->flags = at < 0 ? 0 : world.facts[at].flags;
  return 0;
}

static LONG answer_handles(void *into, ULONG room, ULONG *length) {
  struct safe__win_handle_table *table = into;

  if (system_orders.handles_status != 0) return system_orders.handles_status;
  *length =
    (ULONG)(offsetof(struct safe__win_handle_table, entries) + (size_t)world.handle_count * sizeof(table->entries[0]));
  if (room < *length) return LENGTH_MISMATCH;
  table->count = (ULONG_PTR)world.handle_count;
  memcpy(table->entries, world.handles, (size_t)world.handle_count * sizeof(table->entries[0]));
  return 0;
}

static LONG NTAPI play_query_process(HANDLE process, int what, void *into, ULONG room, ULONG *length) {
  DWORD pid = pid_of(process);
  int at = fact_of(pid);

  if (what == 0) return answer_basic(pid, into, room);
  if (what == 51) return answer_handles(into, room, length);
  assert_int_equal(what, 7);
  assert_int_equal(room, sizeof(DWORD_PTR));
  *(DWORD_PTR *)into = at >= 0 && world.facts[at].debugged ? (DWORD_PTR)-1 : 0;
  return 0;
}

/* ---- Wait chains. */

static HWCT WINAPI play_wct_open(DWORD flags, PWAITCHAINCALLBACK callback) {
  assert_int_equal(flags, 0);
  assert_null(callback);
  SetLastError(system_orders.wct_failure);
  if (system_orders.wct_failure != 0) return NULL;
  world.sessions++;
  return &world;
}

static struct chain *chain_of(DWORD tid) {
  int at;

  for (at = 0; at < world.chain_count; at++)
    if (world.chains[at].tid == tid) return &world.chains[at];
  return NULL;
}

/* A thread that waits for nothing that the system knows is a chain of itself. */
static BOOL WINAPI play_wct_chain(HWCT session, DWORD_PTR context, DWORD flags, DWORD thread, DWORD *count,
                                  WAITCHAIN_NODE_INFO *nodes, BOOL *circle) {
  const struct chain *chain = chain_of(thread);

  (void)context;
  assert_ptr_equal(session, &world);
  assert_int_equal(flags, 7);
  assert_int_equal(*count, 16);
  Sleep(system_orders.slow_ms);
  *circle = FALSE;
  *count = 1;
  nodes[0].ObjectType = WctThreadType;
  nodes[0].ObjectStatus = WctStatusRunning;
  nodes[0].ThreadObject.ThreadId = thread;
  if (chain == NULL) return TRUE;
  SetLastError(chain->failure);
  if (chain->failure != 0 && chain->failure != ERROR_MORE_DATA) return FALSE;
  memcpy(nodes, chain->nodes, sizeof(chain->nodes));
  *count = chain->count;
  *circle = chain->circle;
  return chain->failure == 0;
}

static void WINAPI play_wct_close(HWCT session) {
  assert_ptr_equal(session, &world);
  world.sessions--;
}

/* ---- Handles. */

/* Each type is followed by its name, and that by what it takes to align the next one. */
static LONG answer_types(void *into, ULONG room) {
  struct safe__win_types *types = into;
  char *at = (char *)types->first;
  ULONG index;

  if (room < 48u * 1024) return LENGTH_MISMATCH; /* whatever it takes */
  types->count = world.type_count;
  for (index = 0; index < world.type_count; index++) {
    struct safe__win_type *type = (struct safe__win_type *)(void *)at;
    USHORT size = (USHORT)((wcslen(world.types[index].name) + 1) * sizeof(wchar_t));
    memset(type, 0, sizeof(*type));
    type->index = (BYTE)world.types[index].index;
    type->name.text = (wchar_t *)(void *)(type + 1);
    type->name.length = (USHORT)(size - sizeof(wchar_t));
    type->name.room = size;
    memcpy(type->name.text, world.types[index].name, size);
    at += sizeof(*type) + ((size + 7u) & ~7u);
  }
  return 0;
}

static LONG NTAPI play_query_object(HANDLE handle, int what, void *into, ULONG room, ULONG *length) {
  if (what != 3 || world.type_count == 0) return real.query_object(handle, what, into, room, length);
  assert_null(handle);
  return answer_types(into, room);
}

static DWORD WINAPI play_file_type(HANDLE handle) {
  if (system_orders.types_wait != NULL && handle == system_orders.busy)
    WaitForSingleObject(system_orders.types_wait, INFINITE);
  return real.file_type(handle);
}

/* ---- What the tests set up, and ask. */

void system_start(void) {
  memset(&world, 0, sizeof(world));
  memset(&system_orders, 0, sizeof(system_orders));
  real = safe__win_look_calls;
  safe__win_look_calls.query_file = play_query_file;
  safe__win_look_calls.query_system = play_query_system;
  safe__win_look_calls.query_process = play_query_process;
  safe__win_look_calls.query_object = play_query_object;
  safe__win_look_calls.open_process = play_open_process;
  safe__win_look_calls.file_type = play_file_type;
  safe__win_look_calls.rm_start = play_rm_start;
  safe__win_look_calls.rm_register = play_rm_register;
  safe__win_look_calls.rm_list = play_rm_list;
  safe__win_look_calls.rm_end = play_rm_end;
  safe__win_look_calls.wct_open = play_wct_open;
  safe__win_look_calls.wct_chain = play_wct_chain;
  safe__win_look_calls.wct_close = play_wct_close;
}

void system_stop(void) { safe__win_look_calls = real; }

void system_uses(DWORD pid) { world.using_pids[world.using_count++] = pid; }

void system_app(DWORD pid, uint64_t made, const wchar_t *name) {
  RM_PROCESS_INFO *app = &world.apps[world.app_count++];

  app->Process.dwProcessId = pid;
  app->Process.ProcessStartTime.dwLowDateTime = (DWORD)made;
  app->Process.ProcessStartTime.dwHighDateTime = (DWORD)(made >> 32);
  wcscpy(app->strAppName, name);
}

void system_process(DWORD pid, DWORD parent, int64_t made, const wchar_t *name) {
  struct played *played = &world.processes[world.process_count++];

  played->process.pid = (HANDLE)(ULONG_PTR)pid;
  played->process.parent = (HANDLE)(ULONG_PTR)parent;
  played->process.made = made;
  wcscpy(played->name, name);
  played->process.name.length = (USHORT)(wcslen(name) * sizeof(wchar_t));
  played->process.name.room = (USHORT)sizeof(played->name);
  make_fact(pid);
}

void system_thread(DWORD tid, ULONG state, ULONG reason) {
  struct played *played = &world.processes[world.process_count - 1];
  struct safe__win_thread *thread = &played->threads[played->process.thread_count++];

  thread->pid = played->process.pid;
  thread->tid = (HANDLE)(ULONG_PTR)tid;
  thread->state = state;
  thread->reason = reason;
}

void system_flags(DWORD pid, ULONG flags) { world.facts[make_fact(pid)].flags = flags; }

void system_deny(DWORD pid) { world.facts[make_fact(pid)].denied = true; }

void system_debug(DWORD pid) { world.facts[make_fact(pid)].debugged = true; }

void system_chain(DWORD tid, DWORD pid, bool circle) {
  struct chain *chain = &world.chains[world.chain_count++];

  chain->tid = tid;
  chain->circle = circle;
  system_chain_thread(WctStatusBlocked, pid, tid);
}

void system_chain_object(WCT_OBJECT_TYPE type, const wchar_t *name) {
  struct chain *chain = &world.chains[world.chain_count - 1];
  WAITCHAIN_NODE_INFO *node = &chain->nodes[chain->count++];

  node->ObjectType = type;
  node->ObjectStatus = WctStatusOwned;
  wcscpy(node->LockObject.ObjectName, name);
}

void system_chain_thread(WCT_OBJECT_STATUS status, DWORD pid, DWORD tid) {
  struct chain *chain = &world.chains[world.chain_count - 1];
  WAITCHAIN_NODE_INFO *node = &chain->nodes[chain->count++];

  node->ObjectType = WctThreadType;
  node->ObjectStatus = status;
  node->ThreadObject.ProcessId = pid;
  node->ThreadObject.ThreadId = tid;
}

void system_chain_fails(DWORD tid, DWORD failure) {
  struct chain *chain = &world.chains[world.chain_count++];

  chain->tid = tid;
  chain->failure = failure;
}

void system_handle(HANDLE handle, ULONG type, ULONG attributes) {
  struct safe__win_handle_entry *entry = &world.handles[world.handle_count++];

  entry->handle = handle;
  entry->handle_count = entry->pointer_count = 1;
  entry->access = 0x12019f;
  entry->type = type;
  entry->attributes = attributes;
}

void system_type(ULONG index, const wchar_t *name) {
  world.types[world.type_count].index = index;
  world.types[world.type_count++].name = name;
}

int system_sessions(void) { return world.sessions; }

int system_asked(void) { return world.asked; }
