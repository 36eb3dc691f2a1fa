/* SPDX-License-Identifier: MIT */
/* The beginning of a file whose file system has answered just now. */
#include "os.h"

int64_t safe__os_read_start(const char *path, void *buffer, size_t size, int64_t deadline) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  struct safe__file file;
  safe_error ignored;
  int64_t length;
  int code;

  if (safe__os_now() >= deadline) return SAFE_ETIMEDOUT;
  options.flags = SAFE_LOCK_FOLLOW_SYMLINKS | SAFE__READ_ONLY;
  options.mode = SAFE_LOCK_SHARED;
  safe__os_file_none(&file);
  code = safe__os_file_open(&file, path, &options, &ignored);
  if (code != SAFE_OK) return code;
  length = safe__os_file_read(&file, buffer, size, 0);
  safe__os_file_close(&file);
  return length;
}
