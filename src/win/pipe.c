/* SPDX-License-Identifier: MIT */
/*
 * Pipes for overlapped I/O. CreatePipe makes none, so that they get a name, which nobody can guess, and which is
 * used up by the second end at once.
 *
 * The server is always the end that reads, as with CreatePipe: a writer that has closed its end leaves what it wrote
 * to the reader, while a server that goes away may take it along.
 */
#include "pipe.h"

#include <stdio.h>

#define BUFFER_SIZE 65536

/* RtlGenRandom, by its only exported name. */
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

static bool make_name(wchar_t *name, size_t room) {
  uint64_t random[2];

  if (!SystemFunction036(random, sizeof(random))) return false;
  swprintf(name, room, L"\\\\.\\pipe\\LOCAL\\safehold-%016llx%016llx", (unsigned long long)random[0],
           (unsigned long long)random[1]);
  return true;
}

/* Lets the user in whose name this thread acts open the pipe, and nobody else. Without it the default holds:
   the user, the administrators, and readers of all sorts. */
struct only_me {
  SECURITY_ATTRIBUTES attributes;
  SECURITY_DESCRIPTOR descriptor;
  union {
    TOKEN_USER user;
    char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  } token;
  union {
    ACL list;
    char room[sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE];
  } acl;
};

static SECURITY_ATTRIBUTES *restrict_to_me(struct only_me *only) {
  DWORD length;

  if (!GetTokenInformation(GetCurrentThreadEffectiveToken(), TokenUser, &only->token, sizeof(only->token), &length) ||
      !InitializeAcl(&only->acl.list, sizeof(only->acl), ACL_REVISION) ||
      !AddAccessAllowedAce(&only->acl.list, ACL_REVISION, GENERIC_ALL, only->token.user.User.Sid) ||
      !InitializeSecurityDescriptor(&only->descriptor, SECURITY_DESCRIPTOR_REVISION) ||
      !SetSecurityDescriptorDacl(&only->descriptor, TRUE, &only->acl.list, FALSE))
    return NULL;
  only->attributes.nLength = sizeof(only->attributes);
  only->attributes.lpSecurityDescriptor = &only->descriptor;
  only->attributes.bInheritHandle = FALSE;
  return &only->attributes;
}

DWORD safe__win_pipe(bool child_reads, bool blocking, uint32_t size, HANDLE *ours, HANDLE *theirs) {
  DWORD overlapped = blocking ? 0 : FILE_FLAG_OVERLAPPED, bytes = size > 0 ? size : BUFFER_SIZE;
  struct only_me only;
  wchar_t name[80];
  HANDLE reader, writer;
  DWORD failure;

  if (!make_name(name, sizeof(name) / sizeof(name[0]))) return ERROR_GEN_FAILURE;
  reader = CreateNamedPipeW(name, PIPE_ACCESS_INBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE | (child_reads ? 0 : overlapped),
                            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, bytes,
                            bytes, 0, restrict_to_me(&only));
  if (reader == INVALID_HANDLE_VALUE) return GetLastError();
  /* A client that opens the one instance there is has connected it: no ConnectNamedPipe is needed, and a stranger
     who came first would make this fail. */
  writer = CreateFileW(name, GENERIC_WRITE | FILE_READ_ATTRIBUTES, 0, NULL, OPEN_EXISTING,
                       SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION | (child_reads ? overlapped : 0), NULL);
  if (writer == INVALID_HANDLE_VALUE) {
    failure = GetLastError();
    CloseHandle(reader);
    return failure;
  }
  *ours = child_reads ? writer : reader;
  *theirs = child_reads ? reader : writer;
  return ERROR_SUCCESS;
}
