/* SPDX-License-Identifier: MIT */
#include "restart_manager.h"

#include "processes.h"

#define TRIES 5
#define SLACK 8 /* for those that open it between two questions */
#define MOST_APPS 4096

static uint64_t number(FILETIME time) { return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime; }

/* Its number may have gone to another process since it was listed. */
static bool is_another(const RM_UNIQUE_PROCESS *listed) {
  HANDLE process = safe__win_look_calls.open_process(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, listed->dwProcessId);
  FILETIME made, ended, kernel, user;
  bool other;

  if (process == NULL) return false;
  other = GetProcessTimes(process, &made, &ended, &kernel, &user) && number(made) != number(listed->ProcessStartTime);
  CloseHandle(process);
  return other;
}

static bool add(safe_holder_list *list, const RM_PROCESS_INFO *app) {
  safe_holder holder = {0};

  if (is_another(&app->Process)) return true;
  holder.pid = app->Process.dwProcessId;
  holder.handle = -1;
  holder.role = SAFE_HOLDER_OPENS;
  holder.mode = holder.method = -1;
  safe__win_name_of(app->Process.dwProcessId, holder.name, sizeof(holder.name));
  if (holder.name[0] == '\0') safe__win_narrow(app->strAppName, holder.name, sizeof(holder.name));
  return safe__holder_add(list, &holder);
}

static DWORD add_all(safe_holder_list *list, const RM_PROCESS_INFO *apps, UINT count) {
  bool ourselves = false;
  UINT at;

  for (at = 0; at < count; at++)
    if (apps[at].Process.dwProcessId == GetCurrentProcessId())
      ourselves = true;
    else if (!add(list, &apps[at]))
      return ERROR_NOT_ENOUGH_MEMORY;
  /* Wine has the calls, and nobody in its list, ever. */
  return count == 0 && !ourselves ? ERROR_NO_DATA : ERROR_SUCCESS;
}

/* The list is made anew at each question, and may have grown: ERROR_MORE_DATA is an answer as any other. */
static DWORD get_list(DWORD session, safe_holder_list *list) {
  RM_PROCESS_INFO *apps = NULL;
  UINT needed = 0, count = 0, tries;
  DWORD reasons = 0, failure = ERROR_MORE_DATA;

  for (tries = 0; tries < TRIES && failure == ERROR_MORE_DATA; tries++) {
    safe__free(apps);
    count = needed + SLACK;
    if (count > MOST_APPS) count = MOST_APPS;
    apps = safe__alloc(count * sizeof(*apps));
    if (apps == NULL) return ERROR_NOT_ENOUGH_MEMORY;
    failure = safe__win_look_calls.rm_list(session, &needed, &count, apps, &reasons);
  }
  if (failure == ERROR_SUCCESS) failure = add_all(list, apps, count);
  safe__free(apps);
  return failure;
}

/* A session is always ended, as a user can have 64 of them. */
static DWORD ask(const wchar_t *path, safe_holder_list *list) {
  wchar_t key[CCH_RM_SESSION_KEY + 1] = {0};
  DWORD session = 0, failure = safe__win_look_calls.rm_start(&session, 0, key);

  if (failure != ERROR_SUCCESS) return failure;
  failure = safe__win_look_calls.rm_register(session, 1, &path, 0, NULL, 0, NULL);
  if (failure == ERROR_SUCCESS) failure = get_list(session, list);
  safe__win_look_calls.rm_end(session);
  return failure;
}

DWORD safe__win_ask_restart_manager(const wchar_t *path, safe_holder_list *list) {
  HMODULE library = LoadLibraryExW(L"rstrtmgr.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
  DWORD failure = ask(path, list);

  if (library != NULL) FreeLibrary(library);
  return failure;
}
