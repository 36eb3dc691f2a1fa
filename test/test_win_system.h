/* SPDX-License-Identifier: MIT */
/*
 * A system for the tests of looks on Windows: it answers what Wine does not, in the structs and with the codes that
 * Windows documents, and can fail, grow its lists between two questions, or not answer at all.
 */
#ifndef SAFEHOLD_TEST_WIN_SYSTEM_H
#define SAFEHOLD_TEST_WIN_SYSTEM_H

#include "look_calls.h"

#define ANYBODY_FROM 40000 /* pids that no process has */

struct system_orders {
  LONG using_status;  /* of FileProcessIdsUsingFileInformation; 0: it answers */
  DWORD rm_failure;   /* of RmGetList */
  int rm_grows;       /* so often one more comes in between two questions of it */
  HANDLE using_waits; /* not NULL: that question is not answered before this event */
  HANDLE types_wait;  /* the same for GetFileType of: */
  HANDLE busy;
  LONG processes_status; /* of SystemProcessInformation */
  DWORD wct_failure;     /* of OpenThreadWaitChainSession */
  LONG handles_status;   /* of ProcessHandleInformation */
  DWORD slow_ms;         /* what GetThreadWaitChain takes */
};
extern struct system_orders system_orders;

/* From here to system_stop the library's questions come to this system. */
void system_start(void);
void system_stop(void);

void system_uses(DWORD pid);                                    /* has every file open, says the kernel */
void system_app(DWORD pid, uint64_t made, const wchar_t *name); /* the same, says the Restart Manager */
void system_process(DWORD pid, DWORD parent, int64_t made, const wchar_t *name);
void system_thread(DWORD tid, ULONG state, ULONG reason); /* of the process that was added last */
void system_flags(DWORD pid, ULONG flags);                /* of PROCESS_EXTENDED_BASIC_INFORMATION */
void system_deny(DWORD pid);                              /* may not be opened */
void system_debug(DWORD pid);
/* What a thread waits for, whose it is, and more of the chain up to the end: type, pid, tid. */
void system_chain(DWORD tid, DWORD pid, bool circle);
void system_chain_object(WCT_OBJECT_TYPE type, const wchar_t *name);
void system_chain_thread(WCT_OBJECT_STATUS status, DWORD pid, DWORD tid);
void system_chain_fails(DWORD tid, DWORD failure);
void system_handle(HANDLE handle, ULONG type, ULONG attributes);
void system_type(ULONG index, const wchar_t *name);

int system_sessions(void); /* of the Restart Manager and of wait chains, that were not closed */
int system_asked(void);    /* so often RmGetList */

#endif
