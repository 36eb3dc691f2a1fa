/* SPDX-License-Identifier: MIT */
/* What the portable files share among themselves and with both systems. */
#ifndef SAFEHOLD_INTERNAL_H
#define SAFEHOLD_INTERNAL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "safehold.h"

/* ---- Deadlines: absolute safe__os_now times. */
#define SAFE__NEVER INT64_MAX
#define SAFE__MS INT64_C(1000000)

/* A timeout of the public interface, already validated, as a deadline. */
int64_t safe__deadline(int64_t timeout_ms);
int64_t safe__deadline_after(int64_t start, int64_t timeout_ms);
int64_t safe__deadline_min(int64_t one, int64_t other);
/* Milliseconds left, rounded up so that a wait of so long does not end early; at most limit. 0 when it passed. */
int64_t safe__left_ms(int64_t deadline, int64_t limit);

/*
 * Something to do once during a wait, shortly before its deadline: looking for the holder, so that the look takes
 * none of the caller's time and the request keeps its place in the queue meanwhile.
 */
struct safe__notice {
  int64_t at; /* SAFE__NEVER: nothing to do, or done */
  void (*act)(void *context);
  void *context;
};
/* Acts if it is time. Answers until when to wait next: the notice, or else the deadline. */
int64_t safe__notice_next(struct safe__notice *notice, int64_t deadline);

/* One lock as the kernel knows it: of what the caller asks for, BOTH is two of them. */
struct safe__claim {
  int32_t mode, method;   /* never SAFE_METHOD_DEFAULT or SAFE_METHOD_BOTH */
  int64_t offset, length; /* length 0: as far as there can be bytes */
};

/* A file, however it was opened: device and inode, or what Windows has for them. */
struct safe__file_id {
  uint64_t volume, low, high;
};

/* ---- Memory. Tests replace the function to make the n-th request fail. */
extern void *(*safe__realloc)(void *memory, size_t size); /* size > 0 */
void *safe__alloc(size_t size);                           /* zeroed */
void safe__free(void *memory);
char *safe__copy_text(const char *text); /* NULL without memory */

/* ---- Functions that run between the grant of a lock and the return to the host, one after the other. The linker puts
   them together (.text.hot): a processor that has slept until then pays for every page that it comes to anew, and more
   than for the instructions. */
#if defined(__GNUC__)
#define SAFE__ON_GRANT __attribute__((hot))
#else
#define SAFE__ON_GRANT
#endif

/* ---- Errors. The library's own functions get a complete safe_error; only the public ones see the caller's. */
#if defined(__GNUC__)
#define SAFE__PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define SAFE__PRINTF(text, first)
#endif

/* Fill the error and return code. safe__fail_os finds the code for errno or GetLastError, and adds the
   system's words for it to the message. */
int safe__fail(safe_error *error, int code, int stage, int index, const char *format, ...) SAFE__PRINTF(5, 6);
int safe__fail_os(safe_error *error, int64_t os_code, int stage, int index, const char *format, ...) SAFE__PRINTF(5, 6);
int safe__fail_memory(safe_error *error, int stage);
/* Adds a sentence to the message. */
void safe__add(safe_error *error, const char *format, ...) SAFE__PRINTF(2, 3);
void safe__error_clear(safe_error *error);
/* Gives the caller, who may have passed NULL or a shorter struct, what a failed call has to say; returns code. */
int safe__deliver(safe_error *caller, const safe_error *error, int code);

/* ---- Structs of the caller (options.c, the only file that reads or writes them). */
/* A flag that is no caller's: open to look only. Beyond those of enum safe_lock_flags. */
#define SAFE__READ_ONLY (1u << 31)

#define SAFE__LABEL_BYTES 64
/* handle: for a file of the caller's, to which not all of them apply. */
int safe__read_lock_options(safe_lock_options *into, const safe_lock_options *from, bool handle, safe_error *error);
int safe__read_spawn_options(safe_spawn_options *into, const safe_spawn_options *from, safe_error *error);
int safe__read_wait_options(safe_wait_options *into, const safe_wait_options *from, safe_error *error);
int safe__read_communicate_options(safe_communicate_options *into, const safe_communicate_options *from,
                                   safe_error *error);
int safe__read_audit_options(safe_audit_options *into, const safe_audit_options *from, safe_error *error);
int safe__read_explain_options(safe_explain_options *into, const safe_explain_options *from, safe_error *error);
int safe__read_stop_options(safe_stop_options *into, const safe_stop_options *from, safe_error *error);
/* Checks the size that the caller set in a struct to be filled; NULL is allowed. */
int safe__check_out(const void *caller, const char *name, safe_error *error);
/* The same for the one that takes memory over, and so must have all the fields of its first version. */
int safe__check_output(const safe_output *caller, safe_error *error);
/* Copies as much as the caller's struct has room for, keeping its size field. NULL is allowed. */
void safe__write_out(void *caller, const void *from, size_t full);
int safe__check_path(const char *path, safe_error *error);
int safe__check_timeout(int64_t timeout_ms, const char *name, safe_error *error);

/* ---- Parked things (parked.c): what the kernel would not let go of in time. */
struct safe__parked {
  struct safe__parked *next;
  bool (*collect)(struct safe__parked *self); /* never blocks; true once it is gone and freed */
};
void safe__park(struct safe__parked *item);
int safe__parked_collect(void); /* how many are left */
bool safe__parked_any(void);    /* whether there is something to collect */

/* ---- Holder lists (holders.c). */
struct safe_holder_list {
  size_t count, room;
  safe_holder *items;
  char unknown[256];
  bool unsure; /* somebody may hold a lock who is not in the list */
  /* Only what could conflict with a lock of this method on this file; 0 and NULL: all of the path's. */
  int32_t method;
  const struct safe__file *file;
};
/* Control characters become question marks. */
void safe__make_printable(char *text);
/* At most so many bytes of it, the last ones: the end of a path tells more than its beginning. */
const char *safe__tail(const char *text, size_t most);
/* Adds a copy, unless the same process's same lock, by the same handle, is there; false without memory. */
bool safe__holder_add(safe_holder_list *list, const safe_holder *holder);
/* Who asked for the lock before who inherited it, and by number, whatever the order in which they were met; those who
   wait stay in the order of the queue. Left as it is without memory. */
void safe__holder_order(safe_holder_list *list);
/* Keeps the first reason why somebody may be missing, and every later one that fits. */
void safe__holder_unknown(safe_holder_list *list, const char *format, ...) SAFE__PRINTF(2, 3);
/* The same for what is worth knowing, though nobody is missing for it. */
void safe__holder_note(safe_holder_list *list, const char *format, ...) SAFE__PRINTF(2, 3);
/* A list of those of the file that was opened at path, or of all that is at path, where file is NULL. */
int safe__find_holders_of(const char *path, const struct safe__file *file, int32_t method, int64_t deadline,
                          safe_holder_list **out, safe_error *error);
/* Adds what the owner record knows of the file that was looked at, within the deadline. */
void safe__holders_fold_record(safe_holder_list *list, const char *path, int64_t deadline);
/* Adds to the error who holds the file that was opened at path, looking at most until the deadline. */
void safe__name_holder(const char *path, const struct safe__file *file, int32_t method, int64_t deadline,
                       safe_error *error);

/* ---- Lists of handles (audit.c). */
struct safe_handle_list {
  size_t count, room;
  safe_leak *items;
  char unknown[256];
};
/* What the leak is, in the system's words: printable, and cut where it is too long. */
void safe__leak_name(safe_leak *leak, const char *name);
bool safe__leak_add(safe_handle_list *list, const safe_leak *leak); /* false without memory */
void safe__leak_unknown(safe_handle_list *list, const char *format, ...) SAFE__PRINTF(2, 3);

/* ---- The objects. */
/* What a stream call answers when it would block, and an attempt that is not over: beside the SAFE_E* numbers, each of
   which may be a system's answer; never seen by a caller. */
#define SAFE__AGAIN (-1000)

#endif
