/* SPDX-License-Identifier: MIT */
/*
 * Finding the program. CreateProcess would search the current directory before PATH, and would run a .bat or .cmd
 * file through cmd.exe, which parses the arguments a second time by rules that no quoting satisfies.
 */
#include "program.h"

#include <string.h>
#include <wchar.h>

struct search {
  const wchar_t *name;
  const wchar_t *block; /* the environment whose PATH counts; NULL: the host's */
  bool allowed;         /* a batch file will do */
  bool bare;            /* no extension: .exe is added */
  bool complete;        /* ends in .exe or .com: used as it is */
  bool starved;         /* there was no memory for a candidate */
  wchar_t *batch;       /* a .bat or .cmd that would have been it */
};

static const wchar_t *base_before(const wchar_t *path, size_t length) {
  const wchar_t *base = path;
  size_t at;

  for (at = 0; at < length; at++)
    if (path[at] == L'\\' || path[at] == L'/' || (path[at] == L':' && at == 1)) base = path + at + 1;
  return base;
}

static const wchar_t *base_of(const wchar_t *path) { return base_before(path, wcslen(path)); }

static bool ends_with(const wchar_t *text, size_t length, const wchar_t *end) {
  size_t size = wcslen(end);

  return length >= size && _wcsnicmp(text + length - size, end, size) == 0;
}

static bool batch_ending(const wchar_t *base, size_t length) {
  while (length > 0 && (base[length - 1] == L'.' || base[length - 1] == L' ')) length--;
  return ends_with(base, length, L".bat") || ends_with(base, length, L".cmd");
}

/* x.bat::$DATA is x.bat, and CreateProcess takes the ending of x.exe:y.bat for that of the file. Of x.bat\ and x.bat\.
   the system may drop the end, as it does with dots. */
bool safe__win_is_batch(const wchar_t *name) {
  size_t length = wcslen(name), stream;
  const wchar_t *base;

  while (length > 0 && wcschr(L"\\/. \"", name[length - 1]) != NULL) length--;
  base = base_before(name, length);
  length -= (size_t)(base - name);
  stream = wcscspn(base, L":");
  return batch_ending(base, length) || batch_ending(base, stream < length ? stream : length);
}

/* One that hides nothing: what is written at its end is what it ends with. */
static bool is_plainly_batch(const wchar_t *name) {
  const wchar_t *base = base_of(name);
  size_t length = wcslen(base);

  return (ends_with(base, length, L".bat") || ends_with(base, length, L".cmd")) && wcschr(base, L':') == NULL;
}

static bool is_file(const wchar_t *path) {
  DWORD attributes = GetFileAttributesW(path);

  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

static wchar_t *combine(const wchar_t *folder, size_t folder_length, const wchar_t *name, const wchar_t *extension) {
  size_t name_length = wcslen(name), size = folder_length + 1 + name_length + wcslen(extension) + 1;
  wchar_t *path = safe__alloc(size * sizeof(*path)), *at = path;

  if (path == NULL) return NULL;
  wmemcpy(at, folder, folder_length);
  at += folder_length;
  if (folder_length > 0 && at[-1] != L'\\' && at[-1] != L'/') *at++ = L'\\';
  wmemcpy(at, name, name_length + 1);
  wcscpy(at + name_length, extension);
  return path;
}

static wchar_t *existing(struct search *search, const wchar_t *folder, size_t length, const wchar_t *extension) {
  wchar_t *path = combine(folder, length, search->name, extension);

  if (path == NULL) search->starved = true;
  if (path != NULL && is_file(path)) return path;
  safe__free(path);
  return NULL;
}

static wchar_t *look_in(struct search *search, const wchar_t *folder, size_t length, bool as_given) {
  wchar_t *found = NULL;

  if (search->bare) found = existing(search, folder, length, L".exe");
  if (found == NULL && (as_given || !search->bare)) found = existing(search, folder, length, L"");
  if (found == NULL && !search->bare && !search->complete) found = existing(search, folder, length, L".exe");
  if (found != NULL || !search->bare || search->batch != NULL) return found;
  search->batch = existing(search, folder, length, L".bat");
  if (search->batch == NULL) search->batch = existing(search, folder, length, L".cmd");
  if (!search->allowed) return NULL;
  found = search->batch;
  search->batch = NULL;
  return found;
}

/* C:\folder or \\server\share: what "\folder", "C:folder" and "folder" mean depends on a current directory. */
static bool is_absolute(const wchar_t *folder, size_t length) {
  bool drive = length >= 3 && folder[1] == L':' && (folder[2] == L'\\' || folder[2] == L'/');

  return drive || (length >= 3 && folder[0] == L'\\' && folder[1] == L'\\');
}

static wchar_t *host_path(void) {
  DWORD length = GetEnvironmentVariableW(L"PATH", NULL, 0), got;
  wchar_t *path = NULL;

  while (length > 0) {
    path = safe__alloc(length * sizeof(*path));
    if (path == NULL) return NULL;
    got = GetEnvironmentVariableW(L"PATH", path, length);
    if (got < length) return path;
    safe__free(path); /* another thread has made it longer */
    length = got;
  }
  return safe__alloc(sizeof(*path));
}

/* A copy, as the search cuts it up. */
static wchar_t *search_path(const struct search *search) {
  const wchar_t *value;
  wchar_t *path;

  if (search->block == NULL) return host_path();
  value = safe__win_environment_value(search->block, L"PATH");
  if (value == NULL) value = L"";
  path = safe__alloc((wcslen(value) + 1) * sizeof(*path));
  if (path != NULL) wcscpy(path, value);
  return path;
}

/* *place becomes the number of folders that were looked into. */
static wchar_t *look_on_path(struct search *search, wchar_t *path, int *place) {
  wchar_t *from = path, *end, *next, *found = NULL;

  *place = 0;
  for (; found == NULL && *from != L'\0'; from = next) {
    next = from + wcscspn(from, L";");
    end = next;
    if (*next != L'\0') next++;
    /* An element may be quoted as a whole, for the sake of a semicolon or out of habit. */
    if (end - from >= 2 && *from == L'"' && end[-1] == L'"') {
      from++;
      end--;
    }
    if (!is_absolute(from, (size_t)(end - from))) continue;
    found = look_in(search, from, (size_t)(end - from), false);
    ++*place;
  }
  return found;
}

static int refuse_batch(const wchar_t *path, int index, safe_error *error) {
  char text[256];

  safe__win_narrow(path, text, sizeof(text));
  return safe__fail(error, SAFE_EBATCH, SAFE_STAGE_EXEC, index,
                    "%s is a batch file: cmd.exe would parse the arguments again, and no quoting is safe from that.",
                    text);
}

/*
 * A link's own name says nothing of what it leads to, nor a short name of the long one. What cannot be opened (an alias
 * of the Store) is left to CreateProcess, which goes by the name that it is given.
 */
static bool leads_to_batch(struct search *search, const wchar_t *path) {
  HANDLE file = CreateFileW(path, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                            OPEN_EXISTING, 0, NULL);
  DWORD room = MAX_PATH, length = 0;
  wchar_t *final = NULL;
  bool does;

  if (file == INVALID_HANDLE_VALUE) return false;
  do {
    safe__free(final);
    if (length >= room) room = length + 1;
    final = safe__alloc(room * sizeof(*final));
    if (final != NULL) length = GetFinalPathNameByHandleW(file, final, room, FILE_NAME_NORMALIZED);
  } while (final != NULL && length >= room);
  CloseHandle(file);
  search->starved = search->starved || final == NULL;
  does = final != NULL && length > 0 && safe__win_is_batch(final);
  safe__free(final);
  return does;
}

/* What is as it seems: a program, or, where that is allowed, a batch file. */
static bool is_honest(struct search *search, const wchar_t *path) {
  bool batch = safe__win_is_batch(path);

  if (batch) return search->allowed && is_plainly_batch(path);
  return !leads_to_batch(search, path);
}

static int missing(const struct search *search, bool searched, int places, safe_error *error) {
  char text[256];

  if (search->starved) return safe__fail_memory(error, SAFE_STAGE_SEARCH);
  if (search->batch != NULL) return refuse_batch(search->batch, -1, error);
  safe__win_narrow(search->name, text, sizeof(text));
  if (searched && places == 0)
    return safe__fail(error, SAFE_ENOENT, SAFE_STAGE_SEARCH, -1,
                      "%s cannot be looked for: PATH names no absolute folder.", text);
  return safe__fail(error, SAFE_ENOENT, SAFE_STAGE_EXEC, searched ? places - 1 : 0, "There is no program %s%s.", text,
                    searched ? " on PATH" : "");
}

static int choose(struct search *search, wchar_t **path, safe_error *error) {
  bool searched = wcspbrk(search->name, L"\\/:") == NULL;
  wchar_t *list, *found;
  int places = 1;

  if (searched) {
    list = search_path(search);
    if (list == NULL) return safe__fail_memory(error, SAFE_STAGE_SEARCH);
    found = look_on_path(search, list, &places);
    safe__free(list);
  } else {
    found = look_in(search, L"", 0, true);
  }
  if (found == NULL) return missing(search, searched, places, error);
  if (safe__win_full_path(found, path) != SAFE_OK) *path = NULL;
  safe__free(found);
  if (*path == NULL) return safe__fail_memory(error, SAFE_STAGE_SEARCH);
  if (is_honest(search, *path) && !search->starved) return SAFE_OK;
  if (search->starved)
    safe__fail_memory(error, SAFE_STAGE_SEARCH);
  else
    refuse_batch(*path, places - 1, error);
  safe__free(*path);
  *path = NULL;
  return error->code;
}

int safe__win_program_find(const wchar_t *name, const wchar_t *block, bool batch, wchar_t **path, safe_error *error) {
  struct search search = {name, block, batch, false, false, false, NULL};
  const wchar_t *base = base_of(name);
  size_t length = wcslen(base);
  int code;

  *path = NULL;
  if (safe__win_is_batch(name) && !(batch && is_plainly_batch(name))) return refuse_batch(name, 0, error);
  search.bare = wcschr(base, L'.') == NULL;
  search.complete = ends_with(base, length, L".exe") || ends_with(base, length, L".com");
  code = choose(&search, path, error);
  safe__free(search.batch);
  return code;
}

int safe__win_program_shell(wchar_t **path, safe_error *error) {
  wchar_t folder[MAX_PATH + 1];
  UINT length = GetSystemDirectoryW(folder, MAX_PATH + 1);

  if (length == 0 || length > MAX_PATH)
    return safe__fail_os(error, GetLastError(), SAFE_STAGE_SEARCH, -1, "The system's folder cannot be named");
  *path = combine(folder, length, L"cmd.exe", L"");
  return *path != NULL ? SAFE_OK : safe__fail_memory(error, SAFE_STAGE_SEARCH);
}
