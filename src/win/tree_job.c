/* SPDX-License-Identifier: MIT */
/*
 * The whole tree is the job object that the child was born in: whatever its processes start is in it too, and no
 * process of the job can leave it. Nothing depends on who is whose parent.
 */
#include <wchar.h>

#include "processes.h"
#include "pty.h"

/* What a forced end leaves as the exit code, as taskkill does. */
#define FORCED_CODE 1

static bool has_ended(const struct safe__child *child) { return safe__win_signalled(child->process); }

bool safe__os_child_end(struct safe__child *child, bool force) {
  bool ended;

  if (force) {
    if (child->alone)
      TerminateProcess(child->process, FORCED_CODE);
    else
      TerminateJobObject(child->job, FORCED_CODE);
    return true;
  }
  ended = has_ended(child); /* before it is asked, and may do as it is told */
  /* Most programs that read their input end at its end. */
  safe__os_stream_close(&child->streams[0]);
  if (child->pty != NULL) safe__win_pty_hang_up(child->pty);
  /* The group outlives its leader, whose number is reserved for as long as we have its handle. */
  return (child->console && GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, (DWORD)child->pid)) || !ended;
}

/* The processes of the job, to be freed; NULL if they cannot be told. */
static JOBOBJECT_BASIC_PROCESS_ID_LIST *list_job(HANDLE job) {
  JOBOBJECT_BASIC_PROCESS_ID_LIST *list;
  DWORD room, size;

  for (room = 64; room <= 65536; room *= 4) {
    size = (DWORD)(sizeof(*list) + room * sizeof(list->ProcessIdList[0]));
    list = safe__alloc(size);
    if (list == NULL) return NULL;
    if (QueryInformationJobObject(job, JobObjectBasicProcessIdList, list, size, NULL)) return list;
    safe__free(list);
    if (GetLastError() != ERROR_MORE_DATA) return NULL;
  }
  return NULL;
}

/* Those besides the child, where there is no memory for their numbers. */
static int32_t count_job(HANDLE job, bool child_ended) {
  JOBOBJECT_BASIC_ACCOUNTING_INFORMATION found;

  if (!QueryInformationJobObject(job, JobObjectBasicAccountingInformation, &found, sizeof(found), NULL)) return 0;
  return (int32_t)found.ActiveProcesses - (!child_ended && found.ActiveProcesses > 0);
}

/*
 * A console that no other process shares has a process of its own, conhost.exe, which Wine (and Windows, in some
 * versions) starts within the job. It is nobody's program, and ends by itself once its last client has.
 */
static bool is_console_host(HANDLE process) {
  static const wchar_t name[] = L"\\conhost.exe";
  wchar_t path[MAX_PATH + 1], folder[MAX_PATH + 1];
  DWORD length = MAX_PATH + 1;
  UINT system = GetSystemDirectoryW(folder, MAX_PATH + 1);

  return system > 0 && system <= MAX_PATH && QueryFullProcessImageNameW(process, 0, path, &length) &&
         _wcsnicmp(path, folder, system) == 0 && _wcsicmp(path + system, name) == 0;
}

static bool counts(DWORD pid) {
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  bool does;

  if (process == NULL) return GetLastError() != ERROR_INVALID_PARAMETER; /* it has ended since */
  does = !is_console_host(process);
  CloseHandle(process);
  return does;
}

static void report_one(safe_stop_report *report, int64_t pid) {
  if (report->left_count < SAFE_STOP_MAX_PIDS) report->left[report->left_count] = pid;
  report->left_count++;
}

/* A process that was terminated, but that a driver keeps, is still in its job. */
static int32_t state_of_first(const struct safe__child *child, const safe_stop_report *report) {
  if (report->left_count == 0 || report->left[0] == 0) return 0; /* counted, but not named */
  if (report->left[0] != child->pid) return safe__win_process_state(NULL, report->left[0], NULL);
  return safe__win_process_deleting(child->process) ? 'X' : 0;
}

static void list_left(struct safe__child *child, safe_stop_report *report) {
  JOBOBJECT_BASIC_PROCESS_ID_LIST *list;
  bool ended = has_ended(child);
  DWORD at;

  report->left_count = 0;
  if (!ended) report_one(report, child->pid);
  if (child->alone) return;
  list = list_job(child->job);
  if (list == NULL) report->left_count += count_job(child->job, ended);
  for (at = 0; list != NULL && at < list->NumberOfProcessIdsInList; at++)
    if ((int64_t)list->ProcessIdList[at] != child->pid && counts((DWORD)list->ProcessIdList[at]))
      report_one(report, (int64_t)list->ProcessIdList[at]);
  safe__free(list);
}

bool safe__os_child_left(struct safe__child *child, safe_stop_report *report) {
  list_left(child, report);
  report->state = state_of_first(child, report);
  report->wait_channel[0] = '\0';
  return report->left_count > 0;
}

static HANDLE open_in_job(DWORD pid, HANDLE job) {
  HANDLE process = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  BOOL in_job = FALSE;

  /* Its number may have gone to another process since. */
  if (process == NULL || (IsProcessInJob(process, job, &in_job) && in_job)) return process;
  CloseHandle(process);
  return NULL;
}

/* One of those that are left, once the child itself has ended; NULL if there is none, or none that may be opened. */
static HANDLE open_left(struct safe__child *child) {
  JOBOBJECT_BASIC_PROCESS_ID_LIST *list = list_job(child->job);
  HANDLE process = NULL;
  DWORD at;

  for (at = 0; list != NULL && process == NULL && at < list->NumberOfProcessIdsInList; at++)
    if (counts((DWORD)list->ProcessIdList[at])) process = open_in_job((DWORD)list->ProcessIdList[at], child->job);
  safe__free(list);
  return process;
}

bool safe__os_child_settle(struct safe__child *child, int64_t deadline) {
  HANDLE left;
  bool changed;

  if (!has_ended(child)) return safe__win_wait(&child->process, 1, deadline) != WAIT_TIMEOUT;
  left = child->alone ? NULL : open_left(child);
  if (left == NULL) {
    safe__os_sleep(safe__deadline_min(deadline, safe__os_now() + SAFE__MS), NULL, false);
    return true;
  }
  changed = safe__win_wait(&left, 1, deadline) != WAIT_TIMEOUT;
  CloseHandle(left);
  return changed;
}

/* The numbers that libuv gives a meaning to (src/win/process.c), and C's <signal.h> does not have all of. */
enum { NO_SIGNAL = 0, INTERRUPT = 2, QUIT = 3, KILL = 9, TERMINATE = 15 };

static int check_signal(const struct safe__child *child, int number, bool group, safe_error *error) {
  if (number < 0) return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "There is no signal %d.", number);
  if (number != NO_SIGNAL && number != INTERRUPT && number != QUIT && number != KILL && number != TERMINATE)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1, "Windows has nothing for signal %d.", number);
  if (group && child->alone)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                      "The child has no job of its own: it was started with SAFE_GROUP_HOST.");
  return SAFE_OK;
}

static bool is_there(struct safe__child *child, bool group) {
  safe_stop_report left;

  if (!group) return !has_ended(child);
  list_left(child, &left);
  return left.left_count > 0;
}

int safe__os_child_signal(struct safe__child *child, int signal_number, bool group, safe_error *error) {
  int code = check_signal(child, signal_number, group, error);
  DWORD os_code;

  if (code != SAFE_OK) return code;
  if (is_there(child, group)) {
    if (signal_number == NO_SIGNAL) return SAFE_OK;
    if (group ? TerminateJobObject(child->job, FORCED_CODE) : TerminateProcess(child->process, FORCED_CODE))
      return SAFE_OK;
    os_code = GetLastError();
    if (is_there(child, group)) /* else it has ended meanwhile, which is ERROR_ACCESS_DENIED */
      return safe__fail_os(error, os_code, SAFE_STAGE_STOP, -1, "Process %lld could not be ended",
                           (long long)child->pid);
  }
  return safe__fail(error, SAFE_ESRCH, SAFE_STAGE_STOP, -1, "Process %lld has ended%s.", (long long)child->pid,
                    group ? ", and so has its job" : "");
}

void safe__os_child_tree(const struct safe__child *child, safe_tree_info *info) {
  info->kind = child->alone ? SAFE_TREE_BY_CHILD : SAFE_TREE_BY_JOB;
}
