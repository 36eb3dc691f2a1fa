/* SPDX-License-Identifier: MIT */
/*
 * The story on Windows, with a small helper (this program again) in rrdtool's place: it tells which handles it got.
 *
 * In the Windows kernel the naive way can end worse than shown here: a blocking LockFileEx keeps the file object
 * busy, the exiting child's close of its inherited handle waits for that object, and neither can be killed. Wine has
 * its own kernel, without that lock.
 */
#include "session_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define HELPER "play-helper"
#define LINGER "play-lingering"

static char story_folder[MAX_PATH], home[MAX_PATH], program[MAX_PATH];

const char *helper_command_line(void) { return NULL; }

const char *const *helper_argv(void) {
  static const char *argv[] = {program, HELPER, NULL};

  return argv;
}

/* ---- The helper's own side. */

static bool is_session(HANDLE handle, const BY_HANDLE_FILE_INFORMATION *session) {
  BY_HANDLE_FILE_INFORMATION info;

  return GetFileType(handle) == FILE_TYPE_DISK && GetFileInformationByHandle(handle, &info) &&
         info.nFileIndexHigh == session->nFileIndexHigh && info.nFileIndexLow == session->nFileIndexLow &&
         info.dwVolumeSerialNumber == session->dwVolumeSerialNumber;
}

static void say_handles(void) {
  BY_HANDLE_FILE_INFORMATION session = {0};
  HANDLE file = CreateFileA(SESSION_FILE, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                            NULL, OPEN_EXISTING, 0, NULL);
  UINT_PTR value;
  DWORD flags;
  int standard = 0, sessions = 0;

  GetFileInformationByHandle(file, &session);
  CloseHandle(file);
  for (value = 4; value < 0x2000; value += 4) {
    HANDLE handle = (HANDLE)value;
    if (!GetHandleInformation(handle, &flags)) continue;
    sessions += is_session(handle, &session);
    standard += handle == GetStdHandle(STD_INPUT_HANDLE) || handle == GetStdHandle(STD_OUTPUT_HANDLE) ||
                handle == GetStdHandle(STD_ERROR_HANDLE);
  }
  fprintf(stderr, "%d standard handles%s\n", standard, sessions > 0 ? ", the session" : "");
}

/* As a careless helper does it: whatever can be inherited is. Its own standard handles it keeps to itself, like a
   daemon that closes them. */
static void leave_one_behind(void) {
  static const DWORD standard[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
  STARTUPINFOA startup = {0};
  PROCESS_INFORMATION made;
  char line[MAX_PATH + 32];
  HANDLE kept[3];
  BOOL done;
  int at;

  for (at = 0; at < 3; at++) {
    kept[at] = GetStdHandle(standard[at]);
    SetHandleInformation(kept[at], HANDLE_FLAG_INHERIT, 0);
    SetStdHandle(standard[at], NULL); /* or CreateProcess would hand them on all the same */
  }
  snprintf(line, sizeof(line), "\"%s\" " LINGER, program);
  startup.cb = sizeof(startup);
  /* No window: else Wine starts a console for it, which takes our standard handles along all the same. */
  done = CreateProcessA(program, line, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &startup, &made);
  for (at = 0; at < 3; at++) SetStdHandle(standard[at], kept[at]);
  if (!done) return;
  fprintf(stderr, "left %lu\n", made.dwProcessId);
  CloseHandle(made.hThread);
  CloseHandle(made.hProcess);
}

bool play_helper(int argc, char **argv, int *status) {
  char buffer[4096];
  size_t length, total = 0;

  GetModuleFileNameA(NULL, program, sizeof(program));
  *status = 0;
  if (argc == 2 && strcmp(argv[1], LINGER) == 0) {
    Sleep(30000);
    return true;
  }
  if (argc != 2 || strcmp(argv[1], HELPER) != 0) return false;
  say_handles();
  leave_one_behind();
  while ((length = fread(buffer, 1, sizeof(buffer), stdin)) > 0) total += length;
  printf("OK %lu bytes of commands\n", (unsigned long)total);
  return true;
}

/* ---- The naive way. */

static char *read_all(HANDLE pipe, size_t *length) {
  const size_t room = 1 << 20;
  char *text = malloc(room + 1);
  DWORD got;

  *length = 0;
  while (text != NULL && ReadFile(pipe, text + *length, (DWORD)(room - *length), &got, NULL) && got > 0) *length += got;
  if (text != NULL) text[*length] = '\0';
  CloseHandle(pipe);
  return text;
}

/* Inheritable handles, and CreateProcess told to hand on all there are: what PHP and others do. */
static HANDLE start_helper(HANDLE ours[3]) {
  SECURITY_ATTRIBUTES inheritable = {sizeof(inheritable), NULL, TRUE};
  STARTUPINFOA startup = {0};
  PROCESS_INFORMATION made;
  HANDLE theirs[3];
  char line[MAX_PATH + 32];
  BOOL done;
  int at;

  for (at = 0; at < 3; at++) {
    done = at == 0 ? CreatePipe(&theirs[at], &ours[at], &inheritable, 0)
                   : CreatePipe(&ours[at], &theirs[at], &inheritable, 0);
    if (!done) return NULL;
    SetHandleInformation(ours[at], HANDLE_FLAG_INHERIT, 0);
  }
  startup.cb = sizeof(startup);
  startup.dwFlags = STARTF_USESTDHANDLES;
  startup.hStdInput = theirs[0];
  startup.hStdOutput = theirs[1];
  startup.hStdError = theirs[2];
  snprintf(line, sizeof(line), "\"%s\" " HELPER, program);
  /* No window: else Wine starts a console for it, which takes our standard handles along all the same. */
  done = CreateProcessA(program, line, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &startup, &made);
  for (at = 0; at < 3; at++) CloseHandle(theirs[at]);
  if (!done) return NULL;
  CloseHandle(made.hThread);
  return made.hProcess;
}

static void talk_naively(struct request *request, HANDLE ours[3], HANDLE child) {
  size_t notes_length;
  char *notes;
  DWORD written;

  WriteFile(ours[0], request->commands, (DWORD)strlen(request->commands), &written, NULL);
  CloseHandle(ours[0]);
  request->output = read_all(ours[1], &request->output_length);
  notes = read_all(ours[2], &notes_length);
  WaitForSingleObject(child, INFINITE);
  CloseHandle(child);
  if (notes != NULL) read_child_notes(request, notes);
  free(notes);
}

void serve_naively(struct request *request) {
  SECURITY_ATTRIBUTES inheritable = {sizeof(inheritable), NULL, TRUE};
  HANDLE session = CreateFileA(SESSION_FILE, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                               &inheritable, OPEN_ALWAYS, 0, NULL);
  OVERLAPPED place = {0};
  HANDLE ours[3], child;

  place.Offset = 1u << 30; /* beyond the data, which others could not read otherwise */
  if (session == INVALID_HANDLE_VALUE || !LockFileEx(session, LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &place)) return;
  if (!*request->give_up && (child = start_helper(ours)) != NULL) {
    talk_naively(request, ours, child);
    request->served_ms = now_ms() - request->round_began;
    request->served = count_request(request);
  }
  CloseHandle(session);
}

/* ---- Folders and processes. */

bool enter_story_folder(void) {
  char temporary[MAX_PATH];

  GetCurrentDirectoryA(sizeof(home), home);
  if (GetTempPathA(sizeof(temporary), temporary) == 0) return false;
  snprintf(story_folder, sizeof(story_folder), "%.200ssession_story.%lu", temporary, GetCurrentProcessId());
  return CreateDirectoryA(story_folder, NULL) && SetCurrentDirectoryA(story_folder);
}

void leave_story_folder(void) {
  DeleteFileA(SESSION_FILE);
  SetCurrentDirectoryA(home);
  RemoveDirectoryA(story_folder);
}

bool process_runs(int64_t pid) {
  HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)pid);
  bool runs = process != NULL && WaitForSingleObject(process, 0) == WAIT_TIMEOUT;

  if (process != NULL) CloseHandle(process);
  return runs;
}

void end_process(int64_t pid) {
  HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, (DWORD)pid);

  if (process == NULL) return;
  TerminateProcess(process, 1);
  CloseHandle(process);
}

const char *not_reproducible(void) {
  if (GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") == NULL)
    return "the kernel's deadlock is not provoked here, as it would leave processes that nothing can end";
  return "the kernel's deadlock of the naive way: not reproducible under Wine";
}
