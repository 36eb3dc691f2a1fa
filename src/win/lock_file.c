/* SPDX-License-Identifier: MIT */
/* Opening the lock file: every check is made on the handle, not on the path, which may change meanwhile. */
#include "wait_overlapped.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define STATUS_DELETE_IS_PENDING ((LONG)0xC0000056)

/* Before a file that is being deleted is looked for again. */
#define DELETE_PAUSE (10 * SAFE__MS)

typedef LONG(NTAPI *last_status)(void);

/* CreateFileW says "access denied" for several things; the status beneath it is the only one to tell. */
static bool delete_pending(void) {
  last_status query = (last_status)safe__win_find(L"ntdll.dll", "RtlGetLastNtStatus");

  return query != NULL && query() == STATUS_DELETE_IS_PENDING;
}

static DWORD open_flags(const safe_lock_options *options) {
  /* IDENTIFICATION: should the path be somebody's pipe after all, its server must not act in our name. */
  DWORD flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;

  return (options->flags & SAFE_LOCK_FOLLOW_SYMLINKS) != 0 ? flags : flags | FILE_FLAG_OPEN_REPARSE_POINT;
}

static HANDLE open_for(const wchar_t *path, DWORD access, const safe_lock_options *options) {
  DWORD how = (options->flags & SAFE_LOCK_CREATE) != 0 ? OPEN_ALWAYS : OPEN_EXISTING;

  return CreateFileW(path, access, SHARE_ALL, NULL, how, open_flags(options), NULL);
}

/* A folder, and a link to one, are refused with "access denied", like a file that may not be written. */
static int refused(const wchar_t *path, DWORD failure, const safe_lock_options *options, safe_error *error) {
  DWORD attributes;

  if (failure == ERROR_ACCESS_DENIED && delete_pending()) {
    if (options->timeout_ms != SAFE_NO_WAIT) safe__os_sleep(safe__os_now() + DELETE_PAUSE, options->cancel, false);
    return safe__fail(error, SAFE_EREPLACED, SAFE_STAGE_OPEN, -1, "The lock file is being deleted.");
  }
  if (failure == ERROR_PIPE_BUSY)
    return safe__fail(error, SAFE_ENOTREG, SAFE_STAGE_OPEN, -1, "The path is a pipe, not a file.");
  attributes = failure == ERROR_ACCESS_DENIED ? GetFileAttributesW(path) : INVALID_FILE_ATTRIBUTES;
  if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
    if ((attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 && (options->flags & SAFE_LOCK_FOLLOW_SYMLINKS) == 0)
      return safe__fail(error, SAFE_ESYMLINK, SAFE_STAGE_OPEN, -1, "The path is a link to a folder.");
    return safe__fail(error, SAFE_EISDIR, SAFE_STAGE_OPEN, -1, "The path is a folder.");
  }
  return safe__fail_os(error, failure, SAFE_STAGE_OPEN, -1,
                       failure == ERROR_SHARING_VIOLATION ? "Another program opened the file without sharing it"
                                                          : "The lock file could not be opened");
}

static int check(HANDLE file, const safe_lock_options *options, safe_error *error) {
  FILE_ATTRIBUTE_TAG_INFO found;

  /* A disk or a volume is of type DISK, too, but has no attributes. */
  if (GetFileType(file) != FILE_TYPE_DISK ||
      !GetFileInformationByHandleEx(file, FileAttributeTagInfo, &found, sizeof(found)))
    return safe__fail(error, SAFE_ENOTREG, SAFE_STAGE_OPEN, -1, "The path is a device or pipe, not a file.");
  /* Of whatever kind: such a handle reads what the point is made of, not what it stands for. */
  if ((found.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 && (options->flags & SAFE_LOCK_FOLLOW_SYMLINKS) == 0)
    return safe__fail(error, SAFE_ESYMLINK, SAFE_STAGE_OPEN, -1, "The path is a symbolic link or reparse point.");
  if ((found.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
    return safe__fail(error, SAFE_EISDIR, SAFE_STAGE_OPEN, -1, "The path is a folder.");
  return SAFE_OK;
}

static int make_request(struct safe__file *file, HANDLE handle, bool borrowed, safe_error *error) {
  int code = safe__win_request_make(handle, borrowed, &file->request, error);

  if (code != SAFE_OK || safe__win_file_id(handle, &file->request->own.id)) return code;
  safe__fail_os(error, GetLastError(), SAFE_STAGE_OPEN, -1, "The file has no identity");
  safe__os_file_close(file);
  return error->code;
}

static int open_path(struct safe__file *file, const wchar_t *path, const safe_lock_options *options,
                     safe_error *error) {
  HANDLE opened = open_for(path, GENERIC_READ | GENERIC_WRITE, options);
  DWORD failure;
  bool created;
  int code;

  if (opened == INVALID_HANDLE_VALUE) {
    failure = GetLastError();
    /* A shared lock asks for no right to write, as on the other systems. */
    if (options->mode == SAFE_LOCK_SHARED && (failure == ERROR_ACCESS_DENIED || failure == ERROR_WRITE_PROTECT)) {
      opened = open_for(path, GENERIC_READ, options);
      if (opened == INVALID_HANDLE_VALUE) SetLastError(failure);
    }
    if (opened == INVALID_HANDLE_VALUE) return refused(path, failure, options, error);
  }
  /* OPEN_ALWAYS says so when it has not made one. A file of method COMPAT counts as somebody else's: an owner record
     in it would lie under the locked byte, where nobody can read it. */
  created = (options->flags & SAFE_LOCK_CREATE) != 0 && GetLastError() != ERROR_ALREADY_EXISTS &&
            options->method != SAFE_METHOD_COMPAT;
  code = check(opened, options, error);
  if (code != SAFE_OK) {
    CloseHandle(opened);
    return code;
  }
  code = make_request(file, opened, false, error);
  if (code == SAFE_OK) file->request->created = created;
  return code;
}

void safe__os_file_none(struct safe__file *file) { file->request = NULL; }

int safe__os_file_open(struct safe__file *file, const char *path, const safe_lock_options *options, safe_error *error) {
  wchar_t *wide;
  int code = safe__win_path(path, &wide);

  file->request = NULL;
  if (code != SAFE_OK) return safe__win_path_failed(code, SAFE_STAGE_OPEN, error);
  code = open_path(file, wide, options, error);
  safe__free(wide);
  return code;
}

/* A link to something else; other reparse points are the business of a filter, which shows what they stand for unless
   they were opened as such. */
static bool is_link(const FILE_ATTRIBUTE_TAG_INFO *found) {
  return (found->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 && IsReparseTagNameSurrogate(found->ReparseTag);
}

static int check_borrowed(HANDLE file, safe_error *error) {
  FILE_ATTRIBUTE_TAG_INFO found;

  if (GetFileType(file) == FILE_TYPE_DISK &&
      GetFileInformationByHandleEx(file, FileAttributeTagInfo, &found, sizeof(found)) &&
      (found.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0 && !is_link(&found))
    return SAFE_OK;
  return safe__fail(error, SAFE_ENOTREG, SAFE_STAGE_OPEN, -1, "The handle is not one of a regular file.");
}

int safe__os_file_borrow(struct safe__file *file, safe_handle handle, const safe_lock_options *options,
                         safe_error *error) {
  int code = SAFE_OK;

  file->request = NULL;
  if (handle == NULL || handle == INVALID_HANDLE_VALUE)
    return safe__fail(error, SAFE_EBADF, SAFE_STAGE_ARGUMENTS, -1, "%p is no handle of a file.", handle);
  SetLastError(ERROR_SUCCESS);
  if (GetFileType(handle) == FILE_TYPE_UNKNOWN && GetLastError() != ERROR_SUCCESS)
    return safe__fail_os(error, GetLastError(), SAFE_STAGE_ARGUMENTS, -1, "%p is no handle of a file", handle);
  if ((options->flags & SAFE_LOCK_REGULAR_ONLY) != 0) code = check_borrowed(handle, error);
  return code == SAFE_OK ? make_request(file, handle, true, error) : code;
}

static int verify(const struct safe__win_request *request, const wchar_t *path, const safe_lock_options *options,
                  safe_error *error) {
  FILE_STANDARD_INFO state;
  struct safe__file_id id;
  HANDLE now;
  DWORD failure;
  bool same;

  if (GetFileInformationByHandleEx(request->file, FileStandardInfo, &state, sizeof(state)) &&
      (state.DeletePending || state.NumberOfLinks == 0))
    return safe__fail(error, SAFE_EREPLACED, SAFE_STAGE_VERIFY, -1, "The lock file was deleted.");
  /* BACKUP_SEMANTICS: a folder that took the file's place is to be found, not refused. */
  now = CreateFileW(path, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING,
                    open_flags(options) | FILE_FLAG_BACKUP_SEMANTICS, NULL);
  if (now == INVALID_HANDLE_VALUE) {
    failure = GetLastError();
    if (failure == ERROR_FILE_NOT_FOUND || failure == ERROR_PATH_NOT_FOUND || delete_pending())
      return safe__fail(error, SAFE_EREPLACED, SAFE_STAGE_VERIFY, -1, "The lock file was removed.");
    return safe__fail_os(error, failure, SAFE_STAGE_VERIFY, -1, "The lock file could not be looked at again");
  }
  same = safe__win_file_id(now, &id) && safe__win_same_file(&request->own.id, &id);
  CloseHandle(now);
  if (same) return SAFE_OK;
  return safe__fail(error, SAFE_EREPLACED, SAFE_STAGE_VERIFY, -1, "The lock file was replaced.");
}

int safe__os_file_verify(const struct safe__file *file, const char *path, const safe_lock_options *options,
                         safe_error *error) {
  wchar_t *wide;
  int code = safe__win_path(path, &wide);

  if (code != SAFE_OK) return safe__win_path_failed(code, SAFE_STAGE_VERIFY, error);
  code = verify(file->request, wide, options, error);
  safe__free(wide);
  return code;
}

void safe__os_file_close(struct safe__file *file) {
  safe__win_request_free(file->request);
  file->request = NULL;
}

/* There is no fork whose child would have to close them. */
int *safe__os_file_descriptors(struct safe__file *file, int *count) {
  (void)file;
  *count = 0;
  return NULL;
}

safe_handle safe__os_file_handle(const struct safe__file *file) {
  return file->request == NULL ? SAFE_INVALID_HANDLE : file->request->file;
}

bool safe__os_file_created(const struct safe__file *file) { return file->request->created; }

bool safe__os_file_id(const struct safe__file *file, struct safe__file_id *id) {
  if (file->request == NULL) return false;
  *id = file->request->own.id;
  return true;
}
