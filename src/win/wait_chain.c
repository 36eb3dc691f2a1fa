/* SPDX-License-Identifier: MIT */
#include "wait_chain.h"

#include <stdio.h>
#include <string.h>

#define INTO_OTHERS 0x7      /* WCTP_GETINFO_ALL_FLAGS: threads, COM calls, critical sections */
#define TOO_MANY_THREADS 565 /* ERROR_TOO_MANY_THREADS, which mingw-w64 does not have */
#define MOST_NODES 16        /* WCT_MAX_NODE_COUNT */

static const char *const words[] = {
  [WctCriticalSectionType] = "a critical section",
  [WctSendMessageType] = "an answer to a window message",
  [WctMutexType] = "a mutex",
  [WctAlpcType] = "an answer to a call (ALPC)",
  [WctComType] = "an answer to a COM call",
  [WctThreadWaitType] = "the end of a thread",
  [WctProcessWaitType] = "the end of a process",
  [WctComActivationType] = "a COM server to start",
};

static const char *word_of(WCT_OBJECT_TYPE type) {
  const char *word = type > 0 && type < sizeof(words) / sizeof(words[0]) ? words[type] : NULL;

  return word != NULL ? word : "something";
}

bool safe__win_wait_chain_open(struct safe__win_wait_chain *chain) {
  chain->failure = ERROR_SUCCESS;
  chain->library = LoadLibraryExW(L"advapi32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
  chain->session = safe__win_look_calls.wct_open(0, NULL);
  if (chain->session != NULL) return true;
  chain->failure = GetLastError();
  safe__win_wait_chain_close(chain);
  return false;
}

void safe__win_wait_chain_close(struct safe__win_wait_chain *chain) {
  if (chain->session != NULL) safe__win_look_calls.wct_close(chain->session);
  chain->session = NULL;
  if (chain->library != NULL) FreeLibrary(chain->library);
  chain->library = NULL;
}

static void name_object(const WAITCHAIN_NODE_INFO *node, struct safe__win_waits *waits) {
  wchar_t name[WCT_OBJNAME_LENGTH + 1];
  char narrow[40];

  snprintf(waits->what, sizeof(waits->what), "%s", word_of(node->ObjectType));
  if (node->ObjectType != WctMutexType) return; /* the others have no names */
  memcpy(name, node->LockObject.ObjectName, sizeof(node->LockObject.ObjectName));
  name[WCT_OBJNAME_LENGTH] = L'\0';
  safe__win_narrow(name, narrow, sizeof(narrow));
  if (narrow[0] != '\0') snprintf(waits->what, sizeof(waits->what), "the mutex %s", narrow);
}

/* Of a chain that is longer than there is room the beginning is valid. */
static DWORD ask(HWCT session, DWORD thread, DWORD *count, WAITCHAIN_NODE_INFO *nodes, BOOL *circle) {
  DWORD failure;

  if (safe__win_look_calls.wct_chain(session, 0, INTO_OTHERS, thread, count, nodes, circle)) return ERROR_SUCCESS;
  failure = GetLastError();
  return failure == ERROR_MORE_DATA || failure == TOO_MANY_THREADS ? ERROR_SUCCESS : failure;
}

/* A thread, the object that it waits for, the thread that has it, the object that this one waits for, and so on. */
bool safe__win_wait_chain_ask(struct safe__win_wait_chain *chain, DWORD thread, struct safe__win_waits *waits) {
  WAITCHAIN_NODE_INFO nodes[MOST_NODES];
  DWORD count = MOST_NODES;
  BOOL circle = FALSE;

  memset(waits, 0, sizeof(*waits));
  memset(nodes, 0, sizeof(nodes));
  chain->failure = ask(chain->session, thread, &count, nodes, &circle);
  if (chain->failure != ERROR_SUCCESS) return false;
  if (count > MOST_NODES) count = MOST_NODES;
  if (count < 2 || nodes[0].ObjectType != WctThreadType || nodes[1].ObjectType == WctThreadType) return false;
  name_object(&nodes[1], waits);
  waits->process = nodes[1].ObjectType == WctProcessWaitType;
  waits->circle = circle;
  waits->hidden = nodes[1].ObjectStatus == WctStatusNoAccess;
  if (count < 3 || nodes[2].ObjectType != WctThreadType) return true;
  waits->pid = nodes[2].ThreadObject.ProcessId;
  waits->thread = nodes[2].ThreadObject.ThreadId;
  waits->hidden |= nodes[2].ObjectStatus == WctStatusNoAccess;
  return true;
}
