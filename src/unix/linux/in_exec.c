/* SPDX-License-Identifier: MIT */
#include "in_exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "1 1 0 0 0 1 0": pages of memory, of which so many are there, are shared, and are its program. */
bool safe__is_in_exec(int64_t pid) {
  char text[128];
  long size, program;

  if (safe__proc_read(pid, 0, "statm", text, sizeof(text)) <= 0) return false;
  return sscanf(text, "%ld %*d %*d %ld", &size, &program) == 2 && size > 0 && program == 0;
}

/* The value of "NAME:\t…" of a status; "" if it is not there. */
static const char *value_of(const char *text, const char *name) {
  const char *at = strstr(text, name);

  return at == NULL ? "" : at + strlen(name) + strspn(at + strlen(name), " \t");
}

static bool read_status(int64_t pid, struct safe__proc_stat *stat) {
  char text[2048];
  const char *name;
  size_t length;

  if (safe__proc_read(pid, 0, "status", text, sizeof(text)) <= 0) return false;
  memset(stat, 0, sizeof(*stat));
  name = value_of(text, "Name:");
  length = strcspn(name, "\n");
  memcpy(stat->name, name, length < sizeof(stat->name) ? length : sizeof(stat->name) - 1);
  stat->state = *value_of(text, "\nState:");
  stat->parent = strtoll(value_of(text, "\nPPid:"), NULL, 10);
  stat->session = strtoll(value_of(text, "\nNSsid:"), NULL, 10);
  stat->threads = strtoll(value_of(text, "\nThreads:"), NULL, 10);
  stat->exit_signal = -1;
  return true;
}

bool safe__calm_stat(int64_t pid, struct safe__proc_stat *stat) {
  return safe__is_in_exec(pid) ? read_status(pid, stat) : safe__proc_stat(pid, stat);
}
