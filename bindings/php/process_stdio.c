/* SPDX-License-Identifier: MIT */
#include "process_stdio.h"

#include "api.h"
#include "ext/standard/file.h"

#ifdef PHP_WIN32
#include <io.h>
#endif

/* The places of the arguments, for the messages of exceptions. */
#define ARG_STDIN 5
#define ARG_DESCRIPTORS 8

static bool stream_handle(zval *value, uint32_t arg, safe_handle *handle) {
  php_stream *stream = NULL;
  php_socket_t fd;

  if (Z_TYPE_P(value) == IS_RESOURCE)
    stream = zend_fetch_resource2(Z_RES_P(value), NULL, php_file_le_stream(), php_file_le_pstream());
  if (stream == NULL) {
    zend_argument_value_error(arg, "must be an open stream");
    return false;
  }
  if (php_stream_cast(stream, PHP_STREAM_AS_FD, (void **)&fd, 0) != SUCCESS) {
    if (EG(exception) == NULL) zend_argument_value_error(arg, "must be a stream that the system knows as a descriptor");
    return false;
  }
#ifdef PHP_WIN32
  *handle = (safe_handle)_get_osfhandle((int)fd);
#else
  *handle = fd;
#endif
  return true;
}

static bool read_mode(zend_string *mode, int stream, safe_stdio *stdio) {
  if (stream == 0) return zend_string_equals_literal(mode, "r");
  if (zend_string_equals_literal(mode, "a")) stdio->flags = SAFE_STDIO_APPEND;
  if (zend_string_equals_literal(mode, "x")) stdio->flags = SAFE_STDIO_NEW;
  return stdio->flags != 0 || zend_string_equals_literal(mode, "w");
}

/* ['file', path, mode], as for proc_open(). The child opens it. */
static bool read_file(struct safehold_process_spec *spec, HashTable *array, int stream, safe_stdio *stdio) {
  zval *kind = zend_hash_index_find_deref(array, 0), *path = zend_hash_index_find_deref(array, 1);
  zval *mode = zend_hash_index_find_deref(array, 2);
  char *whole;

  if (kind == NULL || path == NULL || mode == NULL || Z_TYPE_P(kind) != IS_STRING || Z_TYPE_P(path) != IS_STRING ||
      Z_TYPE_P(mode) != IS_STRING || !zend_string_equals_literal(Z_STR_P(kind), "file") ||
      !read_mode(Z_STR_P(mode), stream, stdio)) {
    zend_argument_value_error(ARG_STDIN + stream, stream == 0
                                                    ? "must be ['file', path, 'r'] if it is an array"
                                                    : "must be ['file', path, 'w', 'a' or 'x'] if it is an array");
    return false;
  }
  whole = safehold_path(Z_STR_P(path), ARG_STDIN + (uint32_t)stream);
  if (whole == NULL) return false;
  stdio->kind = SAFE_STDIO_PATH;
  stdio->path = safehold_process_keep(spec, zend_string_init(whole, strlen(whole), false));
  efree(whole);
  return true;
}

static bool read_word(zend_string *word, int stream, safe_stdio *stdio) {
  static const struct {
    const char *word;
    int kind;
  } known[] = {{"inherit", SAFE_STDIO_INHERIT},
               {"null", SAFE_STDIO_NULL},
               {"pipe", SAFE_STDIO_PIPE},
               {"pty", SAFE_STDIO_PTY},
               {"stdout", SAFE_STDIO_TO_OUT}};
  size_t at;

  for (at = 0; at < sizeof(known) / sizeof(known[0]); at++)
    if (strcmp(ZSTR_VAL(word), known[at].word) == 0 && (known[at].kind != SAFE_STDIO_TO_OUT || stream == 2)) {
      stdio->kind = known[at].kind;
      return true;
    }
  zend_argument_value_error(ARG_STDIN + stream,
                            "must be \"pipe\", \"null\", \"inherit\", \"pty\"%s, a stream, or a file",
                            stream == 2 ? ", \"stdout\"" : "");
  return false;
}

bool safehold_process_stdio(struct safehold_process_spec *spec, zval *value, int stream, safe_stdio *stdio) {
  if (value == NULL) return true;
  ZVAL_DEREF(value);
  if (Z_TYPE_P(value) == IS_STRING) return read_word(Z_STR_P(value), stream, stdio);
  if (Z_TYPE_P(value) == IS_ARRAY) return read_file(spec, Z_ARRVAL_P(value), stream, stdio);
  if (!stream_handle(value, ARG_STDIN + (uint32_t)stream, &stdio->handle)) return false;
  stdio->kind = SAFE_STDIO_HANDLE;
  return true;
}

/* Number in the child => stream. */
bool safehold_process_descriptors(struct safehold_process_spec *spec, HashTable *table) {
  zend_string *name;
  zend_ulong number;
  size_t count = 0;
  zval *value;

  if (zend_hash_num_elements(table) == 0) return true;
  spec->handles = ecalloc(zend_hash_num_elements(table), sizeof(*spec->handles));
  ZEND_HASH_FOREACH_KEY_VAL(table, number, name, value) {
    ZVAL_DEREF(value);
    if (name != NULL || number < 3 || number > INT_MAX) {
      zend_argument_value_error(ARG_DESCRIPTORS, "must have the child's descriptor numbers from 3 on for keys");
      return false;
    }
    if (!stream_handle(value, ARG_DESCRIPTORS, &spec->handles[count].handle)) return false;
    spec->handles[count++].target = (int32_t)number;
  }
  ZEND_HASH_FOREACH_END();
  spec->options.handles = spec->handles;
  spec->options.handle_count = count;
#ifdef PHP_WIN32
  spec->options.flags |= SAFE_SPAWN_CRT_HANDLES;
#endif
  return true;
}
