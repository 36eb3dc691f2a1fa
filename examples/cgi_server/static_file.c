/* SPDX-License-Identifier: MIT */
/*
 * Files below --root, read on a thread of libuv's pool: a disk or file server that does not answer holds up that thread
 * and not the loop. No symbolic link is followed, at any place of the path, so that nothing leads out of the root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "http_date.h"
#include "mime.h"
#include "range.h"
#include "reason.h"
#include "route.h"
#include "server.h"

enum { PIECE = 64 * 1024 };

struct static_file {
  uv_work_t work;
  struct exchange *exchange; /* NULL: the client has gone */
  char *path;                /* relative to the root, "" for the root itself */
  int root, file;
  bool busy;  /* the pool has it */
  bool index; /* the path is a folder's, and index.html was opened */
  struct stat status;
  int error; /* an errno, or 0 */
  uint64_t at, end;
  char *piece;
  size_t piece_length;
};

/* ---- On the pool's thread. */

/* Every name with O_NOFOLLOW; openat2 could do it in one call, but Linux has it from 5.6 on only, and nobody else. */
static int open_beneath(int root, char *path) {
  int folder = root, file = -1;
  char *name = path, *end;

  for (;; name = end + 1) {
    end = name + strcspn(name, "/");
    if (*end == '\0') break;
    *end = '\0';
    file = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *end = '/';
    if (folder != root) close(folder);
    if (file < 0) return -1;
    folder = file;
  }
  /* O_NONBLOCK: a FIFO without a writer would hold up the thread. */
  file = openat(folder, *name == '\0' ? "." : name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (folder != root) {
    int error = errno;

    close(folder);
    errno = error;
  }
  return file;
}

static void read_piece(struct static_file *self) {
  size_t room = self->end - self->at < PIECE ? (size_t)(self->end - self->at) : PIECE;
  ssize_t got;

  do got = pread(self->file, self->piece, room, (off_t)self->at);
  while (got < 0 && errno == EINTR);
  self->error = got < 0 ? errno : 0;
  self->piece_length = got < 0 ? 0 : (size_t)got;
}

static int open_index(struct static_file *self) {
  int index = openat(self->file, "index.html", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

  if (index < 0) return errno == ENOENT ? EISDIR : errno;
  close(self->file);
  self->file = index;
  self->index = true;
  return fstat(index, &self->status) != 0 ? errno : 0;
}

static void open_work(uv_work_t *work) {
  struct static_file *self = work->data;
  size_t length = strlen(self->path);

  self->file = open_beneath(self->root, self->path);
  if (self->file < 0 || fstat(self->file, &self->status) != 0) {
    self->error = errno;
    return;
  }
  if (S_ISDIR(self->status.st_mode)) {
    if (length > 0 && self->path[length - 1] != '/')
      self->error = EISDIR;
    else
      self->error = open_index(self);
  } else if (length > 0 && self->path[length - 1] == '/') {
    self->error = ENOTDIR;
  }
  if (self->error != 0) return;
  if (!S_ISREG(self->status.st_mode)) {
    self->error = EACCES;
    return;
  }
  self->end = (uint64_t)self->status.st_size;
  if (self->end <= PIECE) read_piece(self);
}

static void read_work(uv_work_t *work) { read_piece(work->data); }

/* ---- In the loop. */

static void dispose(struct static_file *self) {
  if (self->file >= 0) close(self->file);
  free(self->piece);
  free(self->path);
  free(self);
}

static bool hand_over(struct static_file *self, uv_work_cb what, uv_after_work_cb after) {
  self->busy = uv_queue_work(&self->exchange->worker->loop, &self->work, what, after) == 0;
  return self->busy;
}

static void after_read(uv_work_t *work, int status);

static void read_more(struct static_file *self) {
  struct exchange *exchange = self->exchange;

  if (self->at < self->end) {
    if (hand_over(self, read_work, after_read)) return;
    exchange_abort(exchange);
  } else {
    exchange_end(exchange);
  }
  dispose(self);
}

/* Sends what was read, and reads on unless the client has enough for now. */
static void send_piece(struct static_file *self) {
  size_t length = self->piece_length;

  if (length > self->end - self->at) length = (size_t)(self->end - self->at);
  if (self->error != 0 || (length == 0 && self->at < self->end)) { /* it has become shorter meanwhile */
    exchange_abort(self->exchange);
    dispose(self);
    return;
  }
  self->at += length;
  self->piece_length = 0;
  if (exchange_write(self->exchange, self->piece, length) || self->at == self->end) read_more(self);
}

static void after_read(uv_work_t *work, int status) {
  struct static_file *self = work->data;

  (void)status;
  self->busy = false;
  if (self->exchange == NULL)
    dispose(self);
  else
    send_piece(self);
}

static void on_body(void *self, const char *bytes, size_t length) { (void)self, (void)bytes, (void)length; }

static void on_body_end(void *self) { (void)self; }

static void on_writable(void *self) { read_more(self); }

static void on_gone(void *context) {
  struct static_file *self = context;

  self->exchange = NULL;
  if (!self->busy) dispose(self); /* else when the pool's thread is done with it */
}

static const struct answerer answerer = {on_body, on_body_end, on_writable, on_gone, true};

/* The path without the slash at its end is a folder: relative links in its index would be wrong there. The decoded path
   is written anew, as the target may begin with two slashes, which in a Location mean another host. */
static void redirect_to_folder(struct exchange *exchange) {
  static const char plain[] = "-._~/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  struct header location = {"Location", NULL};
  struct buffer target = {0};
  const char *path;

  for (path = exchange->path; *path != '\0'; path++) {
    if (strchr(plain, *path) != NULL)
      buffer_add(&target, path, 1);
    else
      buffer_print(&target, "%%%02X", (unsigned char)*path);
  }
  buffer_print(&target, "/%s%s", *exchange->query == '\0' ? "" : "?", exchange->query);
  if (buffer_add(&target, "", 1)) {
    location.value = target.bytes;
    exchange_refuse(exchange, 301, &location, "The folder's address ends with a slash.");
  } else {
    exchange_refuse(exchange, 503, NULL, "There is no memory.");
  }
  buffer_free(&target);
}

static void refuse_error(struct static_file *self) {
  struct exchange *exchange = self->exchange;
  size_t length = strlen(self->path);

  switch (self->error) {
  case EISDIR:
    if (length > 0 && self->path[length - 1] != '/')
      redirect_to_folder(exchange);
    else
      exchange_refuse(exchange, 403, NULL, "The folder has no index.html, and its files are not listed.");
    break;
  case EACCES:
  case EPERM:
  case ELOOP:
  case EMLINK: /* FreeBSD's word for a symbolic link with O_NOFOLLOW */
  case ENXIO:
    exchange_refuse(exchange, 403, NULL, "The file may not be read.");
    break;
  case ENOENT:
  case ENOTDIR:
  case ENAMETOOLONG:
    exchange_refuse(exchange, 404, NULL, "There is no such file.");
    break;
  case EMFILE:
  case ENFILE:
  case ENOMEM:
    exchange_refuse(exchange, 503, NULL, "The server has too much to do.");
    break;
  default:
    exchange_refuse(exchange, 500, NULL, "The file could not be read.");
  }
}

/* RFC 9110 section 13.1.3 and 13.1.2: with an If-None-Match the date does not count. */
static bool is_unchanged(struct static_file *self, const char *tag) {
  const char *match = exchange_header(self->exchange, "If-None-Match");
  const char *since = exchange_header(self->exchange, "If-Modified-Since");
  time_t when;

  if (match != NULL) return strcmp(match, "*") == 0 || strstr(match, tag) != NULL;
  if (since == NULL) return false;
  when = http_date_read(since);
  return when != -1 && self->status.st_mtime <= when;
}

static bool wants_range(struct static_file *self, const char *tag, const char *modified) {
  const char *only_if = exchange_header(self->exchange, "If-Range");

  if (strcmp(self->exchange->method, "GET") != 0 || exchange_header(self->exchange, "Range") == NULL) return false;
  return only_if == NULL || strcmp(only_if, tag) == 0 || strcmp(only_if, modified) == 0;
}

static void begin(struct static_file *self) {
  char modified[HTTP_DATE_SIZE], tag[64], content_range[80];
  struct header headers[5] = {{"Content-Type", mime_type(self->index ? "index.html" : self->path)},
                              {"Last-Modified", modified},
                              {"ETag", tag},
                              {"Accept-Ranges", "bytes"},
                              {"Content-Range", content_range}};
  struct exchange *exchange = self->exchange;
  uint64_t size = self->end;
  enum range_kind range = RANGE_NONE;

  http_date_write(modified, self->status.st_mtime);
  snprintf(tag, sizeof(tag), "\"%llx-%llx-%lx\"", (unsigned long long)self->status.st_size,
           (unsigned long long)self->status.st_mtime, (unsigned long)self->status.st_mtim.tv_nsec);
  if (is_unchanged(self, tag)) {
    exchange_begin(exchange, 304, "Not Modified", headers + 1, 2, 0);
    self->at = self->end;
    return;
  }
  if (wants_range(self, tag, modified))
    range = range_read(exchange_header(exchange, "Range"), size, &self->at, &self->end);
  if (range == RANGE_IMPOSSIBLE) {
    snprintf(content_range, sizeof(content_range), "bytes */%llu", (unsigned long long)size);
    exchange_begin(exchange, 416, reason_of(416), headers + 3, 2, 0);
    self->at = self->end;
  } else if (range == RANGE_ONE) {
    snprintf(content_range, sizeof(content_range), "bytes %llu-%llu/%llu", (unsigned long long)self->at,
             (unsigned long long)self->end - 1, (unsigned long long)size);
    exchange_begin(exchange, 206, "Partial Content", headers, 5, (int64_t)(self->end - self->at));
  } else {
    exchange_begin(exchange, 200, "OK", headers, 4, (int64_t)size);
  }
  if (strcmp(exchange->method, "HEAD") == 0) self->at = self->end;
}

static void after_open(uv_work_t *work, int status) {
  struct static_file *self = work->data;
  bool whole;

  (void)status;
  self->busy = false;
  if (self->exchange == NULL || self->error != 0) {
    if (self->exchange != NULL) refuse_error(self);
    dispose(self);
    return;
  }
  whole = self->piece_length == (uint64_t)self->status.st_size;
  begin(self);
  if (self->at < self->end && whole) { /* a small file, which was read together with being opened */
    exchange_write(self->exchange, self->piece + self->at, (size_t)(self->end - self->at));
    self->at = self->end;
  }
  read_more(self);
}

static struct static_file *create(struct exchange *exchange) {
  struct static_file *self = calloc(1, sizeof(*self));

  if (self == NULL) return NULL;
  self->file = -1;
  self->root = exchange->worker->server->root_folder;
  self->path = strdup(exchange->path + 1);
  self->piece = malloc(PIECE);
  self->exchange = exchange;
  self->work.data = self;
  if (self->path != NULL && self->piece != NULL) return self;
  dispose(self);
  return NULL;
}

void static_file_answer(struct exchange *exchange) {
  static const struct header allow = {"Allow", "GET, HEAD"};
  struct static_file *self;

  if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0) {
    exchange_refuse(exchange, 405, &allow, "A file can be asked for by GET and HEAD.");
    return;
  }
  self = create(exchange);
  if (self == NULL || !hand_over(self, open_work, after_open)) {
    if (self != NULL) dispose(self);
    exchange_refuse(exchange, 503, NULL, "There is no memory.");
    return;
  }
  exchange->answerer = &answerer;
  exchange->self = self;
}
