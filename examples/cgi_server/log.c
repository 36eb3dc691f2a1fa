/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int log_file = STDERR_FILENO;

int log_open(const char *path) {
  int file;

  if (path == NULL) return 0;
  file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
  if (file < 0) return errno;
  log_file = file;
  return 0;
}

static size_t escape(char *into, size_t room, const char *text) {
  size_t length = 0;

  for (; *text != '\0' && length + 6 < room; text++) {
    unsigned char letter = (unsigned char)*text;

    if (letter >= 0x20 && letter != 0x7f)
      into[length++] = (char)letter;
    else
      length += (size_t)snprintf(into + length, room - length, "\\x%02x", letter);
  }
  return length;
}

void log_line(const char *format, ...) {
  char text[2048], line[4096];
  struct timespec now;
  struct tm parts;
  size_t length;
  va_list list;

  va_start(list, format);
  vsnprintf(text, sizeof(text), format, list);
  va_end(list);
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &parts);
  length = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &parts);
  length += (size_t)snprintf(line + length, sizeof(line) - length, ".%03ldZ ", now.tv_nsec / 1000000);
  length += escape(line + length, sizeof(line) - length - 1, text);
  line[length++] = '\n';
  /* A full disk is no reason to end, and there is nobody to tell. */
  if (write(log_file, line, length) < 0) return;
}
