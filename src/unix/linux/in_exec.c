/* SPDX-License-Identifier: MIT */
#include "in_exec.h"

#include "child_calls.h"

/* "1 1 0 0 0 1 0": pages of memory, of which so many are there, are shared, and are its program. */
bool safe__is_in_exec(int64_t pid) {
  char text[128];
  const char *at = text;
  int spaces = 0;

  if (safe__proc_read(pid, 0, "statm", text, sizeof(text)) <= 0 || child_number(text) <= 0) return false;
  for (; *at != '\0' && spaces < 3; at++) spaces += *at == ' ';
  return child_number(at) == 0;
}

/* The value of "NAME:\t…" of a status; "" if it is not there. */
static const char *value_of(const char *text, const char *name) {
  const char *at, *wanted;

  while (*text != '\0') {
    for (at = text, wanted = name; *wanted != '\0' && *at == *wanted; at++) wanted++;
    if (*wanted == '\0' && *at == ':') {
      for (at++; *at == ' ' || *at == '\t';) at++;
      return at;
    }
    while (*text != '\0' && *text != '\n') text++;
    if (*text == '\n') text++;
  }
  return text;
}

static int64_t number_of(const char *text, const char *name) {
  long number = child_number(value_of(text, name));

  return number < 0 ? 0 : number;
}

static bool read_status(int64_t pid, struct safe__proc_stat *stat) {
  char text[2048];
  const char *name;
  size_t length = 0;

  if (safe__proc_read(pid, 0, "status", text, sizeof(text)) <= 0) return false;
  for (name = value_of(text, "Name"); *name != '\0' && *name != '\n' && length < sizeof(stat->name) - 1; name++)
    stat->name[length++] = *name;
  stat->name[length] = '\0';
  stat->state = *value_of(text, "State");
  stat->parent = number_of(text, "PPid");
  stat->group = number_of(text, "NSpgid");
  stat->session = number_of(text, "NSsid");
  stat->threads = number_of(text, "Threads");
  stat->flags = 0;
  stat->start = 0;
  stat->exit_signal = -1;
  return true;
}

bool safe__calm_stat(int64_t pid, struct safe__proc_stat *stat) {
  return safe__is_in_exec(pid) ? read_status(pid, stat) : safe__proc_stat(pid, stat);
}
