/* SPDX-License-Identifier: MIT */
/* What the Windows files share: small helpers that are no part of the seam. */
#ifndef SAFEHOLD_WIN_H
#define SAFEHOLD_WIN_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include "os.h"

#define SAFE__STATUS_PENDING ((ULONG_PTR)0x103)

/* ---- Text (utf.c). All memory is given back with safe__free. */
/* SAFE_EINVAL for what is not UTF-8, SAFE_ENOMEM. */
int safe__win_wide(const char *text, wchar_t **wide);
/* Cuts what does not fit, between characters; always ends with a NUL. */
void safe__win_narrow(const wchar_t *wide, char *text, size_t size);

/* ---- Paths (path.c). */
/* An absolute path, with the \\?\ prefix where its length needs it. SAFE_ENOTREG for a name of the device
   namespace (CON, NUL, \\.\pipe\...): those are found out before they are opened, which may have effects. */
int safe__win_path(const char *path, wchar_t **wide);
int safe__win_full_path(const wchar_t *path, wchar_t **full);
/* Fills the error for what the two above answered. */
int safe__win_path_failed(int code, int stage, safe_error *error);
/* Of an open file, as people write it; to be freed. NULL: it has none, or there is no memory. Waits for a synchronous
   handle that is busy. */
wchar_t *safe__win_path_of(HANDLE file);

/* ---- Waiting (wait.c). */
/* The time left as WaitForSingleObject takes it, rounded up: INFINITE for SAFE__NEVER, at most about 24 days. */
DWORD safe__win_left(int64_t deadline);
/* WaitForMultipleObjects for any one of them, by the deadline, however far that is. */
DWORD safe__win_wait(const HANDLE *handles, DWORD count, int64_t deadline);
bool safe__win_signalled(HANDLE handle);
/* The event behind a cancel; it stays the cancel's. */
HANDLE safe__win_cancel_event(const safe_cancel *cancel);

/* A function of ntdll, kernel32 or kernelbase that not every Windows, or not Wine, has. NULL where there is none. */
typedef void (*safe__win_function)(void);
safe__win_function safe__win_find(const wchar_t *module, const char *name);

/* Milliseconds since 1970 (identity.c). */
int64_t safe__win_now_ms(void);

/* CloseHandle unless it is NULL or INVALID_HANDLE_VALUE; sets it to NULL. */
void safe__win_close(HANDLE *handle);

#endif
