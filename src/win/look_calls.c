/* SPDX-License-Identifier: MIT */
#include "look_calls.h"

typedef LONG(NTAPI *query)(int what, void *into, ULONG room, ULONG *length);
typedef LONG(NTAPI *query_of)(HANDLE of, int what, void *into, ULONG room, ULONG *length);
typedef LONG(NTAPI *query_of_file)(HANDLE file, void *io_status, void *into, ULONG room, int what);

static LONG NTAPI query_system(int what, void *into, ULONG room, ULONG *length) {
  query call = (query)safe__win_find(L"ntdll.dll", "NtQuerySystemInformation");

  return call == NULL ? SAFE__STATUS_MISSING : call(what, into, room, length);
}

static LONG NTAPI query_process(HANDLE process, int what, void *into, ULONG room, ULONG *length) {
  query_of call = (query_of)safe__win_find(L"ntdll.dll", "NtQueryInformationProcess");

  return call == NULL ? SAFE__STATUS_MISSING : call(process, what, into, room, length);
}

static LONG NTAPI query_object(HANDLE handle, int what, void *into, ULONG room, ULONG *length) {
  query_of call = (query_of)safe__win_find(L"ntdll.dll", "NtQueryObject");

  return call == NULL ? SAFE__STATUS_MISSING : call(handle, what, into, room, length);
}

static LONG NTAPI query_file(HANDLE file, void *io_status, void *into, ULONG room, int what) {
  query_of_file call = (query_of_file)safe__win_find(L"ntdll.dll", "NtQueryInformationFile");

  return call == NULL ? SAFE__STATUS_MISSING : call(file, io_status, into, room, what);
}

/* ---- Libraries that are not in every process: who asks has loaded them, for as long as he asks. */

typedef DWORD(WINAPI *rm_start_call)(DWORD *session, DWORD flags, wchar_t *key);
typedef DWORD(WINAPI *rm_register_call)(DWORD session, UINT file_count, const wchar_t **files, UINT process_count,
                                        RM_UNIQUE_PROCESS *processes, UINT service_count, const wchar_t **services);
typedef DWORD(WINAPI *rm_list_call)(DWORD session, UINT *needed, UINT *count, RM_PROCESS_INFO *found, DWORD *reasons);
typedef DWORD(WINAPI *rm_end_call)(DWORD session);
typedef HWCT(WINAPI *wct_open_call)(DWORD flags, PWAITCHAINCALLBACK callback);
typedef BOOL(WINAPI *wct_chain_call)(HWCT session, DWORD_PTR context, DWORD flags, DWORD thread, DWORD *count,
                                     WAITCHAIN_NODE_INFO *nodes, BOOL *circle);
typedef void(WINAPI *wct_close_call)(HWCT session);

static safe__win_function manager(const char *name) { return safe__win_find(L"rstrtmgr.dll", name); }

static DWORD WINAPI rm_start(DWORD *session, DWORD flags, wchar_t *key) {
  rm_start_call call = (rm_start_call)manager("RmStartSession");

  return call == NULL ? ERROR_CALL_NOT_IMPLEMENTED : call(session, flags, key);
}

static DWORD WINAPI rm_register(DWORD session, UINT file_count, const wchar_t **files, UINT process_count,
                                RM_UNIQUE_PROCESS *processes, UINT service_count, const wchar_t **services) {
  rm_register_call call = (rm_register_call)manager("RmRegisterResources");

  return call == NULL ? ERROR_CALL_NOT_IMPLEMENTED
                      : call(session, file_count, files, process_count, processes, service_count, services);
}

static DWORD WINAPI rm_list(DWORD session, UINT *needed, UINT *count, RM_PROCESS_INFO *found, DWORD *reasons) {
  rm_list_call call = (rm_list_call)manager("RmGetList");

  return call == NULL ? ERROR_CALL_NOT_IMPLEMENTED : call(session, needed, count, found, reasons);
}

static DWORD WINAPI rm_end(DWORD session) {
  rm_end_call call = (rm_end_call)manager("RmEndSession");

  return call == NULL ? ERROR_CALL_NOT_IMPLEMENTED : call(session);
}

static safe__win_function chains(const char *name) { return safe__win_find(L"advapi32.dll", name); }

static HWCT WINAPI wct_open(DWORD flags, PWAITCHAINCALLBACK callback) {
  wct_open_call call = (wct_open_call)chains("OpenThreadWaitChainSession");

  if (call != NULL) return call(flags, callback);
  SetLastError(ERROR_CALL_NOT_IMPLEMENTED);
  return NULL;
}

static BOOL WINAPI wct_chain(HWCT session, DWORD_PTR context, DWORD flags, DWORD thread, DWORD *count,
                             WAITCHAIN_NODE_INFO *nodes, BOOL *circle) {
  wct_chain_call call = (wct_chain_call)chains("GetThreadWaitChain");

  if (call != NULL) return call(session, context, flags, thread, count, nodes, circle);
  SetLastError(ERROR_CALL_NOT_IMPLEMENTED);
  return FALSE;
}

static void WINAPI wct_close(HWCT session) {
  wct_close_call call = (wct_close_call)chains("CloseThreadWaitChainSession");

  if (call != NULL) call(session);
}

struct safe__win_look_calls safe__win_look_calls = {
  query_system, query_process, query_object, query_file, OpenProcess, GetFileType, rm_start,
  rm_register,  rm_list,       rm_end,       wct_open,   wct_chain,   wct_close,
};
