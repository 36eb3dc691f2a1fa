/* SPDX-License-Identifier: MIT */
/*
 * What may block: read by a helper that can be left behind.
 * /proc/PID/syscall, as it waits for the end of an exec, which may take for ever (in_exec.h); memory of others, for the
 * same reason, and as their memory map may be locked by one who reads from a file; stat of their files, which asks file
 * systems; and fdinfo of an epoll instance, which waits for its mutex, under which results are written to memory that
 * may be a file's.
 */
#ifndef SAFEHOLD_LOOK_PEEK_H
#define SAFEHOLD_LOOK_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAFE__PEEK_BYTES 16384

struct safe__peek_request;

struct safe__peek {
  struct safe__helper *helper;
  struct safe__peek_request *request; /* on the heap, as the helper may outlive the look */
  int64_t deadline;
  bool none; /* there can be no helper, or one was lost: what cannot be read without is not read */
};

void safe__peek_begin(struct safe__peek *peek, int64_t deadline);
void safe__peek_end(struct safe__peek *peek);

/* As safe__proc_read, at most SAFE__PEEK_BYTES; -ETIMEDOUT if it was left behind. Where there can be no helper it is
   read at once, unless the process is in the middle of exec. */
long safe__peek_proc(struct safe__peek *peek, int64_t pid, int64_t thread, const char *name, char *text, size_t size);

/* size bytes, at most SAFE__PEEK_BYTES, of the process's memory. */
bool safe__peek_memory(struct safe__peek *peek, int64_t pid, uint64_t address, void *into, size_t size);

struct safe__peeked_file {
  unsigned mode;
  uint64_t volume, inode; /* as stat(2) tells them; the device's major number << 32 | minor */
};

/* The file behind /proc/PID/task/THREAD/NAME. */
bool safe__peek_file(struct safe__peek *peek, int64_t pid, int64_t thread, const char *name,
                     struct safe__peeked_file *file);

#endif
