/* SPDX-License-Identifier: MIT */
/*
 * What the looks ask Windows, in its own words. Wine answers hardly any of it, and no Windows all of it: a call that is
 * not there answers SAFE__STATUS_MISSING or ERROR_CALL_NOT_IMPLEMENTED. Tests replace the table and play a Windows that
 * answers; so the structs are checked here against the offsets that are documented for 64 bits.
 */
#ifndef SAFEHOLD_WIN_LOOK_CALLS_H
#define SAFEHOLD_WIN_LOOK_CALLS_H

#include <stddef.h>

#include "win.h"

/* After windows.h. */
#include <restartmanager.h>
#include <wct.h>

#define SAFE__STATUS_MISSING ((LONG)0xC0000002)         /* STATUS_NOT_IMPLEMENTED */
#define SAFE__STATUS_LENGTH_MISMATCH ((LONG)0xC0000004) /* STATUS_INFO_LENGTH_MISMATCH: the buffer is too small */
#define SAFE__STATUS_NO_MEMORY ((LONG)0xC0000017)

enum safe__win_question {
  SAFE__ASK_PROCESS_BASIC = 0,    /* ProcessBasicInformation, and what a longer buffer adds to it */
  SAFE__ASK_OBJECT_TYPE = 2,      /* ObjectTypeInformation */
  SAFE__ASK_OBJECT_TYPES = 3,     /* ObjectTypesInformation: all that there are, without a handle */
  SAFE__ASK_PROCESSES = 5,        /* SystemProcessInformation */
  SAFE__ASK_DEBUG_PORT = 7,       /* ProcessDebugPort */
  SAFE__ASK_PROCESSES_USING = 47, /* FileProcessIdsUsingFileInformation, since Vista */
  SAFE__ASK_PROCESS_HANDLES = 51, /* ProcessHandleInformation, since Windows 8 */
  SAFE__ASK_ALL_HANDLES = 64      /* SystemExtendedHandleInformation: of all processes */
};

struct safe__win_look_calls {
  LONG(NTAPI *query_system)(int what, void *into, ULONG room, ULONG *length);
  LONG(NTAPI *query_process)(HANDLE process, int what, void *into, ULONG room, ULONG *length);
  LONG(NTAPI *query_object)(HANDLE handle, int what, void *into, ULONG room, ULONG *length);
  LONG(NTAPI *query_file)(HANDLE file, void *io_status, void *into, ULONG room, int what);
  HANDLE(WINAPI *open_process)(DWORD access, BOOL inherit, DWORD pid);
  DWORD(WINAPI *file_type)(HANDLE handle);
  DWORD(WINAPI *rm_start)(DWORD *session, DWORD flags, wchar_t *key);
  DWORD(WINAPI *rm_register)
  (DWORD session, UINT file_count, const wchar_t **files, UINT process_count, RM_UNIQUE_PROCESS *processes,
   UINT service_count, const wchar_t **services);
  DWORD(WINAPI *rm_list)(DWORD session, UINT *needed, UINT *count, RM_PROCESS_INFO *found, DWORD *reasons);
  DWORD(WINAPI *rm_end)(DWORD session);
  HWCT(WINAPI *wct_open)(DWORD flags, PWAITCHAINCALLBACK callback);
  BOOL(WINAPI *wct_chain)
  (HWCT session, DWORD_PTR context, DWORD flags, DWORD thread, DWORD *count, WAITCHAIN_NODE_INFO *nodes, BOOL *circle);
  void(WINAPI *wct_close)(HWCT session);
};
extern struct safe__win_look_calls safe__win_look_calls;

/* ---- Answers. */

struct safe__win_text { /* UNICODE_STRING: lengths in bytes, and no NUL */
  USHORT length, room;
  wchar_t *text;
};

struct safe__win_using_list { /* FILE_PROCESS_IDS_USING_FILE_INFORMATION */
  ULONG count;
  ULONG_PTR pids[1];
};

struct safe__win_thread { /* SYSTEM_THREAD_INFORMATION [MS-TSTS] 2.2.2.16.2 */
  int64_t kernel_time, user_time, made;
  ULONG wait_time;
  void *start;
  HANDLE pid, tid;
  LONG priority, base_priority;
  ULONG switches, state, reason;
};

struct safe__win_process { /* SYSTEM_PROCESS_INFORMATION; its threads follow */
  ULONG next, thread_count;
  int64_t private_set;
  ULONG hard_faults, most_threads;
  uint64_t cycles;
  int64_t made, user_time, kernel_time;
  struct safe__win_text name;
  LONG base_priority;
  HANDLE pid, parent;
  ULONG handle_count, session;
  ULONG_PTR key;
  SIZE_T most_virtual, virtual_size;
  ULONG faults;
  SIZE_T memory[9];
  int64_t io[6];
};

struct safe__win_basic { /* PROCESS_EXTENDED_BASIC_INFORMATION, since Windows 8 */
  SIZE_T size;
  LONG exit_status;
  void *peb;
  ULONG_PTR affinity;
  LONG base_priority;
  ULONG_PTR pid, parent;
  ULONG flags;
};
#define SAFE__PROCESS_DELETING 0x4u /* IsProcessDeleting: it was terminated, and is still there */
#define SAFE__PROCESS_FROZEN 0x10u  /* IsFrozen: its job is suspended */

struct safe__win_handle_entry { /* PROCESS_HANDLE_TABLE_ENTRY_INFO */
  HANDLE handle;
  ULONG_PTR handle_count, pointer_count;
  ULONG access, type, attributes, reserved;
};
#define SAFE__HANDLE_INHERIT 0x2u /* OBJ_INHERIT */

struct safe__win_handle_table { /* PROCESS_HANDLE_SNAPSHOT_INFORMATION */
  ULONG_PTR count, reserved;
  struct safe__win_handle_entry entries[1];
};

struct safe__win_any_handle { /* SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX */
  void *object;
  ULONG_PTR pid;
  HANDLE handle;
  ULONG access;
  USHORT trace, type;
  ULONG attributes, reserved;
};

struct safe__win_all_handles { /* SYSTEM_HANDLE_INFORMATION_EX */
  ULONG_PTR count, reserved;
  struct safe__win_any_handle entries[1];
};

struct safe__win_type { /* OBJECT_TYPE_INFORMATION; the name's text follows, and the next one, aligned as a pointer */
  struct safe__win_text name;
  ULONG counts[12], invalid_attributes;
  ULONG generic[4], access;
  BYTE security, maintains_count, index, reserved; /* index: since Windows 8.1 */
  ULONG pool, paged, nonpaged;
};

struct safe__win_types { /* OBJECT_TYPES_INFORMATION */
  ULONG count;
  struct safe__win_type first[1];
};

#if defined(_WIN64)
_Static_assert(sizeof(struct safe__win_thread) == 0x50, "as documented");
_Static_assert(offsetof(struct safe__win_thread, tid) == 0x30, "as documented");
_Static_assert(offsetof(struct safe__win_thread, state) == 0x44, "as documented");
_Static_assert(sizeof(struct safe__win_process) == 0x100, "as documented");
_Static_assert(offsetof(struct safe__win_process, made) == 0x20, "as documented");
_Static_assert(offsetof(struct safe__win_process, name) == 0x38, "as documented");
_Static_assert(offsetof(struct safe__win_process, parent) == 0x58, "as documented");
_Static_assert(offsetof(struct safe__win_process, io) == 0xd0, "as documented");
_Static_assert(sizeof(struct safe__win_basic) == 0x40, "as documented");
_Static_assert(offsetof(struct safe__win_basic, flags) == 0x38, "as documented");
_Static_assert(sizeof(struct safe__win_handle_entry) == 0x28, "as documented");
_Static_assert(offsetof(struct safe__win_handle_entry, attributes) == 0x20, "as documented");
_Static_assert(offsetof(struct safe__win_handle_table, entries) == 0x10, "as documented");
_Static_assert(sizeof(struct safe__win_any_handle) == 0x28, "as documented");
_Static_assert(offsetof(struct safe__win_any_handle, handle) == 0x10, "as documented");
_Static_assert(sizeof(struct safe__win_type) == 0x68, "as documented");
_Static_assert(offsetof(struct safe__win_type, index) == 0x5a, "as documented");
_Static_assert(offsetof(struct safe__win_using_list, pids) == 8, "as documented");
#endif
_Static_assert(sizeof(RM_PROCESS_INFO) == 668, "as documented");
_Static_assert(sizeof(WAITCHAIN_NODE_INFO) == 280, "as documented");
_Static_assert(offsetof(WAITCHAIN_NODE_INFO, ThreadObject) == 8, "as documented");

#endif
