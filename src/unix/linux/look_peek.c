/* SPDX-License-Identifier: MIT */
#include "look_peek.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#ifndef STATX_BASIC_STATS /* musl before 1.2.5 leaves it to the kernel's header */
#include <linux/stat.h>
#endif

#include "in_exec.h"
#include "wait_helper.h"

#define PATIENCE_MS 100 /* what is not locked by somebody takes some µs */

struct safe__peek_request {
  struct safe__job job;
  int64_t pid, thread;
  char name[32];
  uint64_t address;
  size_t size; /* of what is wanted */
  char path[64];
  struct statx status;
  long length;
  char bytes[SAFE__PEEK_BYTES];
};

/* ---- In the helper. */

static int read_proc(struct safe__job *job, int fd, int *reply) {
  struct safe__peek_request *request = (struct safe__peek_request *)job;

  (void)fd, (void)reply;
  request->length = safe__proc_read(request->pid, request->thread, request->name, request->bytes, request->size);
  return 0;
}

static int read_memory(struct safe__job *job, int fd, int *reply) {
  struct safe__peek_request *request = (struct safe__peek_request *)job;
  struct iovec into = {request->bytes, request->size}, from;

  (void)fd, (void)reply;
  from.iov_base = (void *)(uintptr_t)request->address; /* NOLINT(performance-no-int-to-ptr): another process's */
  from.iov_len = request->size;
  request->length = safe__raw6(SYS_process_vm_readv, (long)request->pid, (long)&into, 1, (long)&from, 1, 0);
  return 0;
}

#ifndef AT_STATX_DONT_SYNC
#define AT_STATX_DONT_SYNC 0x4000
#endif

static int ask_file(struct safe__job *job, int fd, int *reply) {
  struct safe__peek_request *request = (struct safe__peek_request *)job;

  (void)fd, (void)reply;
  request->length = safe__raw6(SYS_statx, AT_FDCWD, (long)request->path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO,
                               (long)&request->status, 0);
  return 0;
}

/* ---- Outside. */

void safe__peek_begin(struct safe__peek *peek, int64_t deadline) {
  memset(peek, 0, sizeof(*peek));
  peek->deadline = deadline;
}

static void free_request(struct safe__helper *helper) { safe__free(helper->parked_data); }

static void part(struct safe__peek *peek, int64_t deadline) {
  struct safe__helper *helper = peek->helper;

  peek->helper = NULL;
  if (helper == NULL || safe__helper_put(helper, deadline)) return;
  safe__helper_park(helper, free_request, peek->request);
  peek->request = NULL;
}

void safe__peek_end(struct safe__peek *peek) {
  part(peek, safe__deadline(SAFE__HELPER_START_MS));
  safe__free(peek->request);
  peek->request = NULL;
}

static bool prepare(struct safe__peek *peek) {
  if (peek->none) return false;
  if (peek->request == NULL) peek->request = safe__alloc(sizeof(*peek->request));
  if (peek->request != NULL && peek->helper == NULL)
    peek->helper = safe__helper_get(false, SAFE__HELPER_START_MS, NULL);
  peek->none = peek->helper == NULL;
  return !peek->none;
}

/* 0, or -ETIMEDOUT, after which there is another helper for the next question, or -EAGAIN: there is none. */
static long ask(struct safe__peek *peek, int (*run)(struct safe__job *job, int fd, int *reply)) {
  int64_t until = safe__deadline_min(peek->deadline, safe__deadline(PATIENCE_MS));

  peek->request->job.run = run;
  if (safe__helper_post(peek->helper, &peek->request->job, -1, false) &&
      safe__helper_await(peek->helper, until, NULL, false) == SAFE_OK && peek->request->job.result == 0)
    return 0;
  if (!safe__helper_answered(peek->helper)) {
    safe__helper_kill(peek->helper);
    part(peek, safe__deadline(SAFE__HELPER_START_MS));
    return -ETIMEDOUT;
  }
  safe__helper_dismiss(peek->helper); /* somebody has killed it */
  peek->helper = NULL;
  peek->none = true;
  return -EAGAIN;
}

static long read_oneself(int64_t pid, int64_t thread, const char *name, char *text, size_t size) {
  text[0] = '\0';
  return safe__is_in_exec(pid) ? -ETIMEDOUT : safe__proc_read(pid, thread, name, text, size);
}

static bool is_refusal(long code) { return code == -EPERM || code == -EACCES; }

long safe__peek_proc(struct safe__peek *peek, int64_t pid, int64_t thread, const char *name, char *text, size_t size) {
  struct safe__peek_request *request;
  long code = -EAGAIN;

  if (prepare(peek)) {
    request = peek->request;
    request->pid = pid;
    request->thread = thread;
    snprintf(request->name, sizeof(request->name), "%s", name);
    request->size = size < sizeof(request->bytes) ? size : sizeof(request->bytes);
    code = ask(peek, read_proc);
    if (code == 0) code = request->length;
  }
  if (code > 0) memcpy(text, request->bytes, (size_t)code + 1);
  /* A policy that lets only ancestors look (Yama's ptrace_scope 1) takes the helper for a stranger, and us not. */
  if (code == -EAGAIN || is_refusal(code)) return read_oneself(pid, thread, name, text, size);
  if (code <= 0) text[0] = '\0';
  return code;
}

bool safe__peek_memory(struct safe__peek *peek, int64_t pid, uint64_t address, void *into, size_t size) {
  struct safe__peek_request *request;

  if (size > SAFE__PEEK_BYTES || !prepare(peek)) return false;
  request = peek->request;
  request->pid = pid;
  request->address = address;
  request->size = size;
  if (ask(peek, read_memory) != 0 || request->length != (long)size) return false;
  memcpy(into, request->bytes, size);
  return true;
}

bool safe__peek_file(struct safe__peek *peek, int64_t pid, int64_t thread, const char *name,
                     struct safe__peeked_file *file) {
  struct safe__peek_request *request;

  if (!prepare(peek)) return false;
  request = peek->request;
  snprintf(request->path, sizeof(request->path), "/proc/%lld/task/%lld/%s", (long long)pid, (long long)thread, name);
  if (ask(peek, ask_file) != 0 || request->length != 0) return false;
  file->mode = request->status.stx_mode;
  file->volume = (uint64_t)request->status.stx_dev_major << 32 | request->status.stx_dev_minor;
  file->inode = request->status.stx_ino;
  return true;
}
