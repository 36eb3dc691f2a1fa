/* SPDX-License-Identifier: MIT */
/* Every descriptor made here is close-on-exec, as PHP starts children by other means too, and above the standard
   streams: one that took the place of a closed stdin would be given to each child as its own. */
#include "proc_spec.h"

#ifndef PHP_WIN32 /* where proc_open() is not replaced */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ext/standard/file.h"
#include "main/php_network.h"

/* From the first moment where the system can: another thread's popen() gives its child what is not. */
#ifdef SOCK_CLOEXEC
#define CLOEXEC SOCK_CLOEXEC
#define MAKE_PIPE(ends) pipe2(ends, O_CLOEXEC)
#define OPEN_TERMINAL() posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)
#else
#define CLOEXEC 0
#define MAKE_PIPE(ends) pipe(ends)
#define OPEN_TERMINAL() posix_openpt(O_RDWR | O_NOCTTY)
#endif

static int copy_of(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 3); }

static int above_stdio(int fd) {
  int copy;

  if (fd < 0 || fd > 2) return fd;
  copy = copy_of(fd);
  close(fd);
  return copy;
}

static void take_pair(struct safehold_proc_end *end, int ours, int child) {
  end->ours = above_stdio(ours);
  end->child = above_stdio(child);
  fcntl(end->ours, F_SETFD, FD_CLOEXEC);
  fcntl(end->child, F_SETFD, FD_CLOEXEC);
}

static bool make_pipe(struct safehold_proc_end *end, zend_string *mode) {
  bool child_writes = ZSTR_VAL(mode)[0] == 'w';
  int ends[2];

  if (MAKE_PIPE(ends) != 0) {
    php_error_docref(NULL, E_WARNING, "Unable to create pipe %s", strerror(errno));
    return false;
  }
  take_pair(end, ends[child_writes ? 0 : 1], ends[child_writes ? 1 : 0]);
  end->mode = child_writes ? "r" : "w";
  return true;
}

static bool make_socket(struct safehold_proc_end *end) {
  int ends[2];

  if (socketpair(AF_UNIX, SOCK_STREAM | CLOEXEC, 0, ends) != 0) {
    php_error_docref(NULL, E_WARNING, "Unable to create socket pair: %s", strerror(errno));
    return false;
  }
  take_pair(end, ends[0], ends[1]);
  return true;
}

static bool open_terminal(struct safehold_proc_spec *spec) {
  char name[128];

  spec->terminal = above_stdio(OPEN_TERMINAL());
  if (spec->terminal < 0) return false;
  fcntl(spec->terminal, F_SETFD, FD_CLOEXEC);
  if (grantpt(spec->terminal) != 0 || unlockpt(spec->terminal) != 0) return false;
  if (ptsname_r(spec->terminal, name, sizeof(name)) != 0) return false;
  spec->terminal_child = above_stdio(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  return spec->terminal_child >= 0;
}

static bool make_terminal(struct safehold_proc_spec *spec, struct safehold_proc_end *end) {
  if (spec->terminal_child < 0 && !open_terminal(spec)) {
    php_error_docref(NULL, E_WARNING, "Could not open PTY (pseudoterminal): %s", strerror(errno));
    return false;
  }
  end->ours = copy_of(spec->terminal);
  end->child = copy_of(spec->terminal_child);
  end->mode = "r+";
  return true;
}

static bool make_null(struct safehold_proc_end *end) {
  end->child = above_stdio(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (end->child >= 0) return true;
  php_error_docref(NULL, E_WARNING, "Failed to open /dev/null: %s", strerror(errno));
  return false;
}

/* `number` is what PHP's own message has. */
static bool make_copy(struct safehold_proc_end *end, int fd, int number) {
  end->child = copy_of(fd);
  if (end->child >= 0) return true;
  php_error_docref(NULL, E_WARNING, "Failed to dup() for descriptor %d: %s", number, strerror(errno));
  return false;
}

static bool make_file(struct safehold_proc_end *end, zend_string *path, zend_string *mode) {
  php_stream *stream = php_stream_open_wrapper(ZSTR_VAL(path), ZSTR_VAL(mode), REPORT_ERRORS | STREAM_WILL_CAST, NULL);
  php_socket_t fd;

  if (stream == NULL) return false;
  if (php_stream_cast(stream, PHP_STREAM_CAST_RELEASE | PHP_STREAM_AS_FD, (void **)&fd, REPORT_ERRORS) != SUCCESS) {
    php_stream_close(stream);
    return false;
  }
  end->child = above_stdio(fd);
  fcntl(end->child, F_SETFD, FD_CLOEXEC);
  return true;
}

static bool make_redirection(struct safehold_proc_spec *spec, struct safehold_proc_end *end, HashTable *item) {
  zval *target = zend_hash_index_find_deref(item, 1);
  int at;

  if (target == NULL) {
    zend_value_error("Missing redirection target");
    return false;
  }
  if (Z_TYPE_P(target) != IS_LONG) {
#if PHP_VERSION_ID >= 80300
    zend_value_error("Redirection target must be of type int, %s given", zend_zval_value_name(target));
#else
    zend_value_error("Redirection target must be of type int, %s given", zend_zval_type_name(target));
#endif
    return false;
  }
  for (at = 0; at < spec->count - 1; at++)
    if (spec->ends[at].index == (int)Z_LVAL_P(target)) return make_copy(end, spec->ends[at].child, end->index);
  if (Z_LVAL_P(target) < 0 || Z_LVAL_P(target) > 2) {
    php_error_docref(NULL, E_WARNING, "Redirection target %d not found", (int)Z_LVAL_P(target));
    return false;
  }
  return make_copy(end, (int)Z_LVAL_P(target), end->index);
}

static zend_string *string_at(HashTable *item, int at, const char *what) {
  zval *value = zend_hash_index_find(item, at);

  if (value != NULL) return zval_try_get_string(value);
  zend_value_error("Missing %s", what);
  return NULL;
}

static bool make_named_file(struct safehold_proc_end *end, HashTable *item) {
  zend_string *path = string_at(item, 1, "file name parameter for 'file'");
  zend_string *mode = path == NULL ? NULL : string_at(item, 2, "mode parameter for 'file'");
  bool done = mode != NULL && make_file(end, path, mode);

  if (path != NULL) zend_string_release(path);
  if (mode != NULL) zend_string_release(mode);
  return done;
}

static bool make_pipe_of_mode(struct safehold_proc_end *end, HashTable *item) {
  zend_string *mode = string_at(item, 1, "mode parameter for 'pipe'");
  bool done = mode != NULL && make_pipe(end, mode);

  if (mode != NULL) zend_string_release(mode);
  return done;
}

static bool make_kind(struct safehold_proc_spec *spec, struct safehold_proc_end *end, HashTable *item,
                      zend_string *kind) {
  if (zend_string_equals_literal(kind, "pipe")) return make_pipe_of_mode(end, item);
  if (zend_string_equals_literal(kind, "socket")) return make_socket(end);
  if (zend_string_equals_literal(kind, "file")) return make_named_file(end, item);
  if (zend_string_equals_literal(kind, "redirect")) return make_redirection(spec, end, item);
  if (zend_string_equals_literal(kind, "null")) return make_null(end);
  if (zend_string_equals_literal(kind, "pty")) return make_terminal(spec, end);
  php_error_docref(NULL, E_WARNING, "%s is not a valid descriptor spec/mode", ZSTR_VAL(kind));
  return false;
}

static bool read_array(struct safehold_proc_spec *spec, struct safehold_proc_end *end, HashTable *item) {
  zend_string *kind = string_at(item, 0, "handle qualifier");
  bool done = kind != NULL && make_kind(spec, end, item, kind);

  if (kind != NULL) zend_string_release(kind);
  return done;
}

static bool read_resource(struct safehold_proc_spec *spec, struct safehold_proc_end *end, zval *resource) {
  php_stream *stream = zend_fetch_resource(Z_RES_P(resource), "stream", php_file_le_stream());
  php_socket_t fd;

  if (stream == NULL || php_stream_cast(stream, PHP_STREAM_AS_FD, (void **)&fd, REPORT_ERRORS) != SUCCESS) return false;
  return make_copy(end, fd, spec->count - 1);
}

static bool read_item(struct safehold_proc_spec *spec, struct safehold_proc_end *end, zval *item) {
  zval held;
  bool done;

  ZVAL_DEREF(item);
  if (Z_TYPE_P(item) != IS_RESOURCE && Z_TYPE_P(item) != IS_ARRAY) {
    zend_argument_value_error(2, "must only contain arrays and streams");
    return false;
  }
  /* Where the array has a reference to it, the script's code, which reading it may run, can take it away. */
  ZVAL_COPY(&held, item);
  if (Z_TYPE(held) == IS_RESOURCE)
    done = read_resource(spec, end, &held);
  else
    done = read_array(spec, end, Z_ARRVAL(held));
  zval_ptr_dtor(&held);
  return done;
}

bool safehold_proc_spec_read(struct safehold_proc_spec *spec, HashTable *array) {
  struct safehold_proc_end *end;
  zend_string *name;
  zend_ulong index;
  zval *item;

  spec->terminal = spec->terminal_child = -1;
  spec->ends = ecalloc(zend_hash_num_elements(array) + 1, sizeof(*spec->ends));
  ZEND_HASH_FOREACH_KEY_VAL(array, index, name, item) {
    if (name != NULL) {
      zend_argument_value_error(2, "must be an integer indexed array");
      return false;
    }
    end = &spec->ends[spec->count++];
    *end = (struct safehold_proc_end){(int)index, -1, -1, NULL};
    if (!read_item(spec, end, item)) return false;
  }
  ZEND_HASH_FOREACH_END();
  return true;
}

void safehold_proc_spec_give(struct safehold_proc_spec *spec, safe_spawn_options *options) {
  safe_stdio *const standard[] = {&options->in, &options->out, &options->err};
  int at;

  spec->handles = ecalloc(spec->count + 1, sizeof(*spec->handles));
  for (at = 0; at < spec->count; at++) {
    if (spec->ends[at].index >= 0 && spec->ends[at].index <= 2) {
      standard[spec->ends[at].index]->kind = SAFE_STDIO_HANDLE;
      standard[spec->ends[at].index]->handle = spec->ends[at].child;
    } else {
      spec->handles[options->handle_count].handle = spec->ends[at].child;
      spec->handles[options->handle_count++].target = spec->ends[at].index;
    }
  }
  options->handles = spec->handles;
}

php_stream *safehold_proc_end_stream(struct safehold_proc_end *end) {
  php_stream *stream;

  if (end->ours < 0) return NULL;
  stream = end->mode != NULL ? php_stream_fopen_from_fd(end->ours, end->mode, NULL)
                             : php_stream_sock_open_from_socket(end->ours, NULL);
  if (stream == NULL) return NULL;
  end->ours = -1;
  stream->flags |= PHP_STREAM_FLAG_NO_SEEK;
  return stream;
}

static void close_one(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

void safehold_proc_spec_close(struct safehold_proc_spec *spec) {
  int at;

  for (at = 0; at < spec->count; at++) {
    close_one(&spec->ends[at].child);
    close_one(&spec->ends[at].ours);
  }
  close_one(&spec->terminal);
  close_one(&spec->terminal_child);
  if (spec->ends != NULL) efree(spec->ends);
  if (spec->handles != NULL) efree(spec->handles);
  spec->ends = NULL;
  spec->handles = NULL;
  spec->count = 0;
}

#endif
