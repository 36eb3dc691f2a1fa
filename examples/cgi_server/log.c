/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MOST = 4096 }; /* PIPE_BUF: a pipe takes it in one piece */

static int log_file = STDERR_FILENO;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long dropped; /* lines; under log_lock */

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

static size_t begin_line(char line[LINE_MOST]) {
  struct timespec now;
  struct tm parts;
  size_t length;

  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &parts);
  length = strftime(line, LINE_MOST, "%Y-%m-%dT%H:%M:%S", &parts);
  return length + (size_t)snprintf(line + length, LINE_MOST - length, ".%03ldZ ", now.tv_nsec / 1000000);
}

/* A pipe that nobody empties must not stop the loop. It says that it is ready when it takes PIPE_BUF bytes at once, if
   no other thread comes between. O_NONBLOCK would be set for all who share the stderr. */
static bool write_if_ready(const char *line, size_t length) {
  struct pollfd look = {log_file, POLLOUT, 0};

  if (poll(&look, 1, 0) <= 0) return false;
  return write(log_file, line, length) >= 0; /* a full disk is no reason to end */
}

static bool say_dropped(void) {
  char line[LINE_MOST];
  size_t length = begin_line(line);

  length += (size_t)snprintf(line + length, sizeof(line) - length,
                             "%lu lines are missing here: the log did not take them\n", dropped);
  return write_if_ready(line, length);
}

size_t log_line(const char *format, ...) {
  char text[2048], line[LINE_MOST];
  size_t length;
  va_list list;

  va_start(list, format);
  vsnprintf(text, sizeof(text), format, list);
  va_end(list);
  length = begin_line(line);
  length += escape(line + length, sizeof(line) - length - 1, text);
  line[length++] = '\n';
  pthread_mutex_lock(&log_lock);
  if (dropped > 0 && say_dropped()) dropped = 0;
  if (dropped > 0 || !write_if_ready(line, length)) dropped++;
  pthread_mutex_unlock(&log_lock);
  return length;
}
