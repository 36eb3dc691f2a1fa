/* SPDX-License-Identifier: MIT */
#include "handle_kind.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define FIRST_ROOM (32u * 1024)
#define MOST_BYTES (1024u * 1024)
#define TYPE_ROOM 1024 /* one type, with its name */

static const struct {
  const wchar_t *name;
  int32_t kind;
} kinds[] = {
  {L"Section", SAFE_KIND_MEMORY},   {L"Event", SAFE_KIND_EVENT},        {L"Mutant", SAFE_KIND_EVENT},
  {L"Semaphore", SAFE_KIND_EVENT},  {L"Timer", SAFE_KIND_EVENT},        {L"IRTimer", SAFE_KIND_EVENT},
  {L"KeyedEvent", SAFE_KIND_EVENT}, {L"IoCompletion", SAFE_KIND_EVENT}, {L"WaitCompletionPacket", SAFE_KIND_EVENT},
  {L"Process", SAFE_KIND_PROCESS},  {L"Thread", SAFE_KIND_PROCESS},
};

/* ---- The type. */

void safe__win_type_names_get(struct safe__win_type_names *names) {
  LONG status = SAFE__STATUS_LENGTH_MISMATCH;
  ULONG room, length = 0;

  for (room = FIRST_ROOM; status == SAFE__STATUS_LENGTH_MISMATCH && room <= MOST_BYTES; room *= 2) {
    safe__free(names->bytes);
    names->bytes = safe__alloc(room);
    if (names->bytes == NULL) return;
    names->length = room;
    status = safe__win_look_calls.query_object(NULL, SAFE__ASK_OBJECT_TYPES, names->bytes, room, &length);
  }
  if (status < 0) safe__win_type_names_free(names);
}

void safe__win_type_names_free(struct safe__win_type_names *names) {
  safe__free(names->bytes);
  names->bytes = NULL;
}

static size_t aligned(size_t size) { return (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1); }

static const struct safe__win_type *find_type(const struct safe__win_type_names *names, ULONG index) {
  const struct safe__win_types *types = (const struct safe__win_types *)(const void *)names->bytes;
  size_t offset = offsetof(struct safe__win_types, first);
  const struct safe__win_type *type;
  ULONG at;

  for (at = 0; names->bytes != NULL && at < types->count; at++) {
    if (offset + sizeof(*type) > names->length) return NULL;
    type = (const struct safe__win_type *)(const void *)(names->bytes + offset);
    if (type->index == index) return type;
    offset += sizeof(*type) + aligned(type->name.room);
  }
  return NULL;
}

static bool is_named(const struct safe__win_text *text, const wchar_t *name) {
  return text->length == wcslen(name) * sizeof(*name) && wmemcmp(text->text, name, wcslen(name)) == 0;
}

static bool use_type(const struct safe__win_text *name, safe_leak *leak) {
  wchar_t wide[64];
  char narrow[64];
  size_t at, length = name->length / sizeof(*wide);

  if (length >= sizeof(wide) / sizeof(wide[0])) length = sizeof(wide) / sizeof(wide[0]) - 1;
  wmemcpy(wide, name->text, length);
  wide[length] = L'\0';
  safe__win_narrow(wide, narrow, sizeof(narrow));
  safe__leak_name(leak, narrow);
  leak->kind = SAFE_KIND_OTHER;
  for (at = 0; at < sizeof(kinds) / sizeof(kinds[0]); at++)
    if (is_named(name, kinds[at].name)) leak->kind = kinds[at].kind;
  return !is_named(name, L"File");
}

bool safe__win_kind_by_index(const struct safe__win_type_names *names, ULONG index, safe_leak *leak) {
  const struct safe__win_type *type = find_type(names, index);

  leak->kind = SAFE_KIND_OTHER;
  return type == NULL || use_type(&type->name, leak);
}

/* The type, unlike the name, is read without a word to the object itself. */
bool safe__win_kind_by_handle(HANDLE handle, safe_leak *leak) {
  union {
    struct safe__win_type type;
    char room[TYPE_ROOM];
  } answer;
  ULONG length = 0;

  memset(&answer, 0, sizeof(answer));
  leak->kind = SAFE_KIND_OTHER;
  if (safe__win_look_calls.query_object(handle, SAFE__ASK_OBJECT_TYPE, &answer, sizeof(answer), &length) < 0)
    return true;
  return use_type(&answer.type.name, leak);
}

/* ---- Files, and what goes by that name. */

static void ask_disk(HANDLE handle, safe_leak *leak) {
  FILE_STANDARD_INFO info;
  wchar_t *path = safe__win_path_of(handle);
  char narrow[sizeof(leak->what) * 3]; /* what is too long is cut where its name is given */

  leak->kind = SAFE_KIND_FILE;
  if (GetFileInformationByHandleEx(handle, FileStandardInfo, &info, sizeof(info)) && info.Directory)
    leak->kind = SAFE_KIND_FOLDER;
  if (path == NULL) return;
  safe__win_narrow(path, narrow, sizeof(narrow));
  safe__leak_name(leak, narrow);
  safe__free(path);
}

/* A socket is of the type of a pipe, and knows no call for pipes. */
static void ask_pipe(HANDLE handle, safe_leak *leak) {
  union {
    FILE_NAME_INFO info;
    char room[sizeof(FILE_NAME_INFO) + 512 * sizeof(wchar_t)];
  } answer;
  char narrow[512], name[512];

  memset(&answer, 0, sizeof(answer));
  leak->kind = SAFE_KIND_SOCKET;
  if (!GetNamedPipeInfo(handle, NULL, NULL, NULL, NULL)) {
    safe__leak_name(leak, "a socket");
    return;
  }
  leak->kind = SAFE_KIND_PIPE;
  safe__leak_name(leak, "a pipe");
  if (!GetFileInformationByHandleEx(handle, FileNameInfo, &answer, sizeof(answer) - sizeof(wchar_t))) return;
  if (answer.info.FileNameLength == 0) return;
  safe__win_narrow(answer.info.FileName, narrow, sizeof(narrow));
  snprintf(name, sizeof(name), "\\\\.\\pipe%.500s", narrow);
  safe__leak_name(leak, name);
}

void safe__win_kind_ask(HANDLE handle, safe_leak *leak) {
  DWORD mode;

  switch (safe__win_look_calls.file_type(handle)) {
  case FILE_TYPE_DISK:
    ask_disk(handle, leak);
    break;
  case FILE_TYPE_PIPE:
    ask_pipe(handle, leak);
    break;
  case FILE_TYPE_CHAR:
    leak->kind = SAFE_KIND_DEVICE;
    safe__leak_name(leak, GetConsoleMode(handle, &mode) ? "a console" : "a device");
    break;
  default:
    break;
  }
}
