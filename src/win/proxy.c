/* SPDX-License-Identifier: MIT */
#include "proxy.h"

#include "launch.h"
#include "program.h"

/* After a failure to make one: spawns in the meantime do without. */
#define PAUSE_MS 1000

/* What a child takes from its parent, as far as the host may change it. The number of a token's last change is new with
   each change, whatever was changed. */
struct traits {
  LUID token;
  UINT error_mode;
  DWORD_PTR processors;
  BOOL in_job;
};

struct safe__win_proxy {
  HANDLE process, job;
  DWORD pid;
  struct traits traits;
  unsigned users; /* the spawns that are in it, and one while it is the present one */
};

static SRWLOCK guard = SRWLOCK_INIT; /* of all below, and of the sets' member proxy. Held across no CreateProcess */
static struct safe__win_proxy *present;
static int64_t not_before; /* after a failure */
static DWORD last_failure;

static void look(struct traits *traits) {
  TOKEN_STATISTICS token = {0};
  DWORD_PTR system;
  DWORD length;

  ZeroMemory(traits, sizeof(*traits));
  if (GetTokenInformation(GetCurrentProcessToken(), TokenStatistics, &token, sizeof(token), &length))
    traits->token = token.ModifiedId;
  GetProcessAffinityMask(GetCurrentProcess(), &traits->processors, &system);
  IsProcessInJob(GetCurrentProcess(), NULL, &traits->in_job);
  traits->error_mode = GetErrorMode();
}

static bool same(const struct traits *one, const struct traits *other) {
  return one->token.LowPart == other->token.LowPart && one->token.HighPart == other->token.HighPart &&
         one->error_mode == other->error_mode && one->processors == other->processors && one->in_job == other->in_job;
}

/* The last handle of the job ends the process, however far it came. */
static void discard(struct safe__win_proxy *proxy) {
  if (proxy == NULL) return;
  if (proxy->process != NULL) TerminateProcess(proxy->process, 0);
  safe__win_close(&proxy->process);
  safe__win_close(&proxy->job);
  safe__free(proxy);
}

/* What is to be discarded, outside the guard: NULL as long as somebody uses it. */
static struct safe__win_proxy *let_go(struct safe__win_proxy *proxy) {
  return proxy != NULL && --proxy->users == 0 ? proxy : NULL;
}

/* Its children are in none of its jobs that lets go of them; those of this process that do not stay theirs. */
static DWORD make_job(HANDLE *job) {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION wanted = {0};

  wanted.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
  *job = CreateJobObjectW(NULL, NULL);
  if (*job == NULL || !SetInformationJobObject(*job, JobObjectExtendedLimitInformation, &wanted, sizeof(wanted)))
    return GetLastError();
  return ERROR_SUCCESS;
}

/*
 * It never runs, so that it hardly matters what it is; but it has to be of our kind of processor, and always there.
 * Nothing of the host's stays in it: not its environment, not its working directory.
 */
static DWORD start(struct safe__win_proxy *proxy, const wchar_t *program, LPPROC_THREAD_ATTRIBUTE_LIST list) {
  wchar_t folder[MAX_PATH + 1], none[2] = L"", command[] = L"cmd.exe";
  STARTUPINFOEXW startup = {0};
  PROCESS_INFORMATION made;

  if (GetSystemDirectoryW(folder, MAX_PATH + 1) == 0) return GetLastError();
  if (!UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, &proxy->job, sizeof(proxy->job), NULL, NULL))
    return GetLastError();
  startup.StartupInfo.cb = sizeof(startup);
  startup.lpAttributeList = list;
  if (!safe__win_create_process(program, command, NULL, NULL, FALSE,
                                CREATE_SUSPENDED | CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT |
                                  EXTENDED_STARTUPINFO_PRESENT,
                                none, folder, &startup.StartupInfo, &made))
    return GetLastError();
  CloseHandle(made.hThread);
  proxy->process = made.hProcess;
  proxy->pid = made.dwProcessId;
  return ERROR_SUCCESS;
}

static DWORD start_in_job(struct safe__win_proxy *proxy, const wchar_t *program) {
  LPPROC_THREAD_ATTRIBUTE_LIST list;
  DWORD failure = ERROR_NOT_ENOUGH_MEMORY;
  SIZE_T size = 0;

  InitializeProcThreadAttributeList(NULL, 1, 0, &size);
  list = safe__alloc(size);
  if (list != NULL && InitializeProcThreadAttributeList(list, 1, 0, &size)) {
    failure = start(proxy, program, list);
    DeleteProcThreadAttributeList(list);
  }
  safe__free(list);
  return failure;
}

static struct safe__win_proxy *make(const struct traits *traits, DWORD *failure) {
  struct safe__win_proxy *proxy = safe__alloc(sizeof(*proxy));
  wchar_t *program = NULL;
  safe_error error;

  *failure = ERROR_NOT_ENOUGH_MEMORY;
  if (proxy != NULL && safe__win_program_shell(&program, &error) == SAFE_OK) {
    proxy->traits = *traits;
    *failure = make_job(&proxy->job);
    if (*failure == ERROR_SUCCESS) *failure = start_in_job(proxy, program);
  }
  safe__free(program);
  if (*failure == ERROR_SUCCESS) return proxy;
  discard(proxy);
  return NULL;
}

/* The present one if it fits: then one more uses it. Call with the guard. */
static struct safe__win_proxy *use_present(const struct traits *traits) {
  if (present == NULL || !same(&present->traits, traits) || safe__win_signalled(present->process)) return NULL;
  present->users++;
  return present;
}

static struct safe__win_proxy *get(DWORD *failure) {
  struct safe__win_proxy *proxy, *made, *unwanted;
  struct traits traits;

  look(&traits);
  AcquireSRWLockExclusive(&guard);
  proxy = use_present(&traits);
  *failure = proxy == NULL && safe__os_now() < not_before ? last_failure : ERROR_SUCCESS;
  ReleaseSRWLockExclusive(&guard);
  if (proxy != NULL || *failure != ERROR_SUCCESS) return proxy;

  made = make(&traits, failure);
  AcquireSRWLockExclusive(&guard);
  proxy = use_present(&traits); /* another thread may have been quicker */
  unwanted = made;
  if (proxy == NULL && made != NULL) {
    unwanted = let_go(present);
    present = proxy = made;
    made->users = 2;
  }
  if (proxy == NULL && *failure != ERROR_NOT_ENOUGH_MEMORY) {
    not_before = safe__deadline(PAUSE_MS);
    last_failure = *failure;
  }
  ReleaseSRWLockExclusive(&guard);
  discard(unwanted);
  return proxy;
}

static DWORD copy_all(struct safe__win_proxied *set, const HANDLE *handles, size_t count, size_t *bad) {
  HANDLE self = GetCurrentProcess(), process = set->proxy->process;

  for (set->count = 0; set->count < count; set->count++)
    if (!DuplicateHandle(self, handles[set->count], process, &set->values[set->count], 0, TRUE,
                         DUPLICATE_SAME_ACCESS)) {
      *bad = set->count;
      return GetLastError();
    }
  return ERROR_SUCCESS;
}

DWORD safe__win_proxy_enter(struct safe__win_proxied *set, const HANDLE *handles, size_t count, size_t *bad) {
  struct safe__win_proxy *unwanted = NULL, *proxy;
  DWORD failure;
  bool closed;

  *bad = SIZE_MAX;
  proxy = get(&failure);
  if (proxy == NULL) return failure;
  AcquireSRWLockExclusive(&guard);
  closed = set->closed;
  if (closed)
    unwanted = let_go(proxy);
  else
    set->proxy = proxy;
  ReleaseSRWLockExclusive(&guard);
  discard(unwanted);
  if (closed) return ERROR_OPERATION_ABORTED;
  failure = copy_all(set, handles, count, bad);
  if (failure == ERROR_SUCCESS) return failure;
  if (safe__win_proxy_is_lost(set)) *bad = SIZE_MAX;
  safe__win_proxy_leave(set);
  return failure;
}

HANDLE safe__win_proxy_process(const struct safe__win_proxied *set) { return set->proxy->process; }

bool safe__win_proxy_is_lost(const struct safe__win_proxied *set) { return safe__win_signalled(set->proxy->process); }

void safe__win_proxy_leave(struct safe__win_proxied *set) {
  struct safe__win_proxy *proxy = set->proxy, *unwanted;
  HANDLE ours, self = GetCurrentProcess();
  size_t at;

  /* Without the guard: of a file that another thread has locks on, the close may have to wait for the file. Moved here
     and closed here, as Wine closes nothing in a process that does not run. */
  for (at = 0; at < set->count; at++)
    if (DuplicateHandle(proxy->process, set->values[at], self, &ours, 0, FALSE,
                        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE))
      CloseHandle(ours);
  AcquireSRWLockExclusive(&guard);
  set->proxy = NULL;
  set->count = 0;
  unwanted = let_go(proxy);
  ReleaseSRWLockExclusive(&guard);
  discard(unwanted);
}

void safe__win_proxy_close(struct safe__win_proxied *set) {
  AcquireSRWLockExclusive(&guard);
  set->closed = true;
  ReleaseSRWLockExclusive(&guard);
}

DWORD safe__win_proxy_pid(void) {
  DWORD pid;

  AcquireSRWLockShared(&guard);
  pid = present != NULL ? present->pid : 0;
  ReleaseSRWLockShared(&guard);
  return pid;
}

void safe__os_release_spares(void) {
  struct safe__win_proxy *unwanted;

  AcquireSRWLockExclusive(&guard);
  unwanted = let_go(present);
  present = NULL;
  not_before = 0;
  ReleaseSRWLockExclusive(&guard);
  discard(unwanted);
}
