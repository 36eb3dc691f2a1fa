/* SPDX-License-Identifier: MIT */
#include "proc_stat.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_file(int64_t pid, const char *name, char *text, size_t size) {
  char path[64];
  ssize_t length;
  int fd;

  snprintf(path, sizeof(path), "/proc/%lld/%s", (long long)pid, name);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  length = read(fd, text, size - 1);
  close(fd);
  text[length < 0 ? 0 : length] = '\0';
  return length > 0;
}

/* The fields of /proc/PID/stat between the session and num_threads, the 20th, past the 21st to the start
   time, and from there to exit_signal, the 38th. */
#define SKIP_TO_THREADS "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
#define SKIP_TO_EXIT_SIGNAL "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"

bool safe__proc_stat(int64_t pid, struct safe__proc_stat *stat) {
  char path[48], text[512], *name, *end;
  long long parent, group, session, threads;
  unsigned long long start;
  size_t length;

  /* The first thread's, which for all that is asked here is the process's: of its own /proc/PID/stat a process under
     qemu-user gets to see what qemu makes up. */
  snprintf(path, sizeof(path), "task/%lld/stat", (long long)pid);
  if (!read_file(pid, path, text, sizeof(text))) return false;
  name = strchr(text, '(');
  end = strrchr(text, ')'); /* the name itself may have parentheses */
  if (name == NULL || end == NULL ||
      sscanf(end + 1, " %c %lld %lld %lld " SKIP_TO_THREADS " %lld %*s %llu " SKIP_TO_EXIT_SIGNAL " %d", &stat->state,
             &parent, &group, &session, &threads, &start, &stat->exit_signal) != 7)
    return false;
  length = (size_t)(end - name - 1);
  if (length >= sizeof(stat->name)) length = sizeof(stat->name) - 1;
  memcpy(stat->name, name + 1, length);
  stat->name[length] = '\0';
  stat->parent = parent;
  stat->group = group;
  stat->session = session;
  stat->threads = threads;
  stat->start = start;
  return true;
}

void safe__proc_line(int64_t pid, const char *name, char *line, size_t size) {
  if (!read_file(pid, name, line, size)) line[0] = '\0';
  line[strcspn(line, "\n")] = '\0';
}

int64_t safe__proc_next(void *folder) {
  struct dirent *entry;

  while ((entry = readdir(folder)) != NULL)
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') return strtoll(entry->d_name, NULL, 10);
  return 0;
}
