/* SPDX-License-Identifier: MIT */
#include "lock_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os.h"

static bool method_of(const char *word, int32_t *method) {
  static const struct {
    const char *word;
    int32_t method;
  } methods[] = {{"FLOCK", SAFE_METHOD_FLOCK}, {"OFDLCK", SAFE_METHOD_OFD}, {"POSIX", SAFE_METHOD_POSIX}};
  size_t at;

  for (at = 0; at < sizeof(methods) / sizeof(methods[0]); at++)
    if (strcmp(word, methods[at].word) == 0) {
      *method = methods[at].method;
      return true;
    }
  return false;
}

/* "0 EOF": all of it. What ends just before the gate of SAFE_LOCK_FAIR is meant to have no end either. */
static void take_range(struct safe__lock_line *line, long long first, const char *last) {
  int64_t end = strcmp(last, "EOF") == 0 ? INT64_MAX : strtoll(last, NULL, 10);

  line->offset = first;
  line->length = end >= SAFE__GATE - 1 && first < SAFE__GATE ? 0 : end - first + 1;
}

bool safe__lock_line_read(const char *text, struct safe__lock_line *line) {
  char method[16], mode[16], last[24];
  const char *arrow, *words = strchr(text, ':');
  unsigned major, minor;
  unsigned long long inode;
  long long pid, first;

  if (words == NULL) return false;
  words += 1 + strspn(words + 1, " ");
  arrow = strncmp(words, "->", 2) == 0 ? words + 2 : NULL;
  if (sscanf(arrow != NULL ? arrow : words, "%15s %*s %15s %lld %x:%x:%llu %lld %23s", method, mode, &pid, &major,
             &minor, &inode, &first, last) != 8)
    return false;
  if (!method_of(method, &line->method)) return false;
  line->id.volume = (uint64_t)major << 32 | minor;
  line->id.low = inode;
  line->id.high = 0;
  line->pid = pid;
  line->mode = strcmp(mode, "READ") == 0 ? SAFE_LOCK_SHARED : SAFE_LOCK_EXCLUSIVE;
  line->waits = arrow != NULL;
  take_range(line, first, last);
  return true;
}

bool safe__is_same_line(const struct safe__lock_line *one, const struct safe__lock_line *other) {
  return one->method == other->method && one->mode == other->mode && one->pid == other->pid &&
         one->offset == other->offset && one->length == other->length && one->waits == other->waits;
}

const char *safe__lock_line_next(const char *text, struct safe__lock_line *line) {
  static const char mark[] = "\nlock:";

  while ((text = strstr(text, mark)) != NULL) {
    text += sizeof(mark) - 1;
    if (safe__lock_line_read(text, line)) return text;
  }
  return NULL;
}

/* ---- The table. Each read of it stops all locking and unlocking on the machine for as long as the kernel takes to
   write a page of it (locks_start, fs/locks.c); hence no smaller pieces. */

#define PAGE 4096

struct table {
  struct safe__lock_line *lines;
  size_t count, room;
  int parts;
};

static bool add(struct table *table, const struct safe__lock_line *line) {
  size_t room = table->room == 0 ? 64 : table->room * 2;
  struct safe__lock_line *grown;

  if (table->count == table->room) {
    grown = safe__realloc(table->lines, room * sizeof(*grown));
    if (grown == NULL) return false;
    table->lines = grown;
    table->room = room;
  }
  table->lines[table->count++] = *line;
  return true;
}

/* Takes the whole lines of the text, and leaves the rest of the last one at its beginning. */
static bool take_lines(struct table *table, char *text, size_t *length) {
  struct safe__lock_line line;
  char *at = text, *end;

  text[*length] = '\0';
  while ((end = strchr(at, '\n')) != NULL) {
    *end = '\0';
    line.part = table->parts;
    if (safe__lock_line_read(at, &line) && !add(table, &line)) return false;
    at = end + 1;
  }
  *length = (size_t)(text + *length - at);
  memmove(text, at, *length);
  return true;
}

/* Each read gives at most a page, and whole lines. */
static int read_table(struct table *table, int fd) {
  char text[2 * PAGE + 1];
  size_t filled = 0;
  ssize_t length;

  while ((length = read(fd, text + filled, 2 * PAGE - filled)) > 0) {
    filled += (size_t)length;
    table->parts++;
    if (!take_lines(table, text, &filled)) return ENOMEM;
  }
  return length < 0 ? errno : 0;
}

struct safe__lock_line *safe__lock_table(size_t *count, bool *in_parts, int *os_code) {
  struct table table = {.lines = safe__alloc(sizeof(*table.lines)), .room = 1};
  int fd = table.lines == NULL ? -1 : open("/proc/locks", O_RDONLY | O_CLOEXEC);

  *os_code = table.lines == NULL ? ENOMEM : fd < 0 ? errno : read_table(&table, fd);
  if (fd >= 0) close(fd);
  *in_parts = table.parts > 1;
  *count = *os_code == 0 ? table.count : 0;
  if (*os_code == 0) return table.lines;
  safe__free(table.lines);
  return NULL;
}
