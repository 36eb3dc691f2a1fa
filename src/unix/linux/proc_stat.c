/* SPDX-License-Identifier: MIT */
#include "proc_stat.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "child_calls.h"

#define PATH_BYTES 64
#define PAGE 4096

static char *append(char *to, const char *text) {
  while (*text != '\0') *to++ = *text++;
  return to;
}

static char *append_number(char *to, int64_t number) {
  char digits[20];
  int count = 0;

  do digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

long safe__proc_read(int64_t pid, int64_t thread, const char *name, char *text, size_t size) {
  char path[PATH_BYTES], *end = append_number(append(path, "/proc/"), pid);
  size_t filled = 0;
  long fd, length;

  if (thread != 0) end = append_number(append(end, "/task/"), thread);
  *append(append(end, "/"), name) = '\0';
  text[0] = '\0';
  fd = safe__raw6(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return fd;
  /* Of a file with many records one read gives about a page; of those that fit into less there is but one. */
  do {
    length = safe__raw6(SYS_read, fd, (long)text + (long)filled, (long)(size - 1 - filled), 0, 0, 0);
    if (length > 0) filled += (size_t)length;
  } while (length > 0 && size > PAGE && filled < size - 1);
  child_close_one((int)fd);
  text[filled] = '\0';
  return filled > 0 ? (long)filled : length;
}

static const char *find_last(const char *text, char wanted) {
  const char *found = NULL;

  for (; *text != '\0'; text++)
    if (*text == wanted) found = text;
  return found;
}

/* Where in /proc/PID/stat, counted as in proc(5). */
enum { STATE = 3, PARENT = 4, GROUP = 5, SESSION = 6, FLAGS = 9, THREADS = 20, START = 22, EXIT_SIGNAL = 38 };

static void take_field(struct safe__proc_stat *stat, int field, const char *text) {
  bool negative = *text == '-';
  int64_t number = 0;

  if (field == STATE) stat->state = *text;
  for (text += negative; *text >= '0' && *text <= '9'; text++) number = number * 10 + (*text - '0');
  if (negative) number = -number;
  if (field == PARENT) stat->parent = number;
  if (field == GROUP) stat->group = number;
  if (field == SESSION) stat->session = number;
  if (field == FLAGS) stat->flags = (unsigned)number;
  if (field == THREADS) stat->threads = number;
  if (field == START) stat->start = (uint64_t)number;
  if (field == EXIT_SIGNAL) stat->exit_signal = (int)number;
}

bool safe__proc_thread_stat(int64_t pid, int64_t thread, struct safe__proc_stat *stat) {
  const char *at, *end;
  char text[512];
  size_t length = 0;
  int field = STATE - 1;

  if (safe__proc_read(pid, thread, "stat", text, sizeof(text)) <= 0) return false;
  end = find_last(text, ')'); /* the name itself may have parentheses */
  if (end == NULL) return false;
  for (at = text; *at != '(' && at < end;) at++;
  for (at++; at < end && length < sizeof(stat->name) - 1; at++) stat->name[length++] = *at;
  stat->name[length] = '\0';
  for (at = end + 1; *at != '\0' && field < EXIT_SIGNAL; at++)
    if (*at == ' ') take_field(stat, ++field, at + 1);
  return field == EXIT_SIGNAL;
}

/* The first thread's, which for all that is asked here is the process's: of its own /proc/PID/stat a process under
   qemu-user gets to see what qemu makes up. */
bool safe__proc_stat(int64_t pid, struct safe__proc_stat *stat) { return safe__proc_thread_stat(pid, pid, stat); }

void safe__proc_open(struct safe__proc_walk *walk) {
  walk->at = walk->length = 0;
  walk->folder = (int)safe__raw6(SYS_openat, AT_FDCWD, (long)"/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);
}

int64_t safe__proc_walk_next(struct safe__proc_walk *walk) {
  const struct child_directory_entry *entry;
  long number;

  for (;;) {
    if (walk->folder < 0) return 0;
    if (walk->at >= walk->length) {
      walk->at = 0;
      walk->length = safe__raw6(SYS_getdents64, walk->folder, (long)walk->entries, sizeof(walk->entries), 0, 0, 0);
      if (walk->length <= 0) return 0;
    }
    entry = (const struct child_directory_entry *)(walk->entries + walk->at);
    walk->at += entry->length;
    number = child_number(entry->name);
    if (number > 0) return number;
  }
}

void safe__proc_close(struct safe__proc_walk *walk) {
  if (walk->folder >= 0) child_close_one(walk->folder);
}

bool safe__proc_text(int64_t pid, const char *name, char *text, size_t size) {
  return safe__proc_read(pid, 0, name, text, size) > 0;
}

void safe__proc_line(int64_t pid, const char *name, char *line, size_t size) {
  safe__proc_read(pid, 0, name, line, size);
  line[strcspn(line, "\n")] = '\0';
}

int64_t safe__proc_next(void *folder) {
  struct dirent *entry;

  while ((entry = readdir(folder)) != NULL)
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') return strtoll(entry->d_name, NULL, 10);
  return 0;
}
