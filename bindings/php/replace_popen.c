/* SPDX-License-Identifier: MIT */
/* popen(): a stream of PHP's own plain kind on our end of the pipe, whose close waits for the child. As extensions tell
   that kind by the address of its table (PHP_STREAM_IS_STDIO), it is the function in that table that is replaced. */
#include <errno.h>

#include "child.h"
#include "replace.h"

/* The open pipes of this request. */
struct pipe {
  php_stream *stream;
  safe_process *process;
  struct pipe *next;
};

ZEND_TLS struct pipe *pipes;

static safe_process *take_process(const php_stream *stream) {
  safe_process *process;
  struct pipe **at, *found;

  for (at = &pipes; *at != NULL && (*at)->stream != stream; at = &(*at)->next) {
  }
  found = *at;
  if (found == NULL) return NULL;
  *at = found->next;
  process = found->process;
  efree(found);
  return process;
}

void safehold_popen_request_end(void) {
  struct pipe *pipe;

  while (pipes != NULL) {
    pipe = pipes;
    pipes = pipe->next;
    safe_process_free(pipe->process);
    efree(pipe);
  }
}

static int (*close_plain)(php_stream *stream, int close_handle);

static int close_plain_or_pipe(php_stream *stream, int close_handle) {
  safe_process *process = pipes == NULL ? NULL : take_process(stream);
  int code = close_plain(stream, close_handle);

  if (process == NULL) return code;
  if (close_handle) return safehold_child_finish(process);
  /* The descriptor was taken out of the stream (PHP_STREAM_CAST_RELEASE), and the child goes on with it. */
  safe_process_free(process);
  return code;
}

/* What PHP gives popen(3), which then takes "r" and "w" only: the mode without one 'b'. false: PHP itself refuses it.
 */
static bool read_mode(const char *mode, size_t length, char plain[3]) {
  const char *binary = memchr(mode, 'b', length);
  size_t at, count = 0;

  if (length - (binary != NULL) > 2) return false;
  for (at = 0; at < length; at++)
    if (mode + at != binary) plain[count++] = mode[at];
  plain[count] = '\0';
  return count == 0 || ((plain[0] == 'r' || plain[0] == 'w') && (count == 1 || plain[1] == 'b'));
}

static php_stream *open_pipe(safe_process *process, const char *mode, bool reads) {
  struct pipe *pipe = emalloc(sizeof(*pipe));

  pipe->stream = safehold_child_stream(process, reads ? 1 : 0);
  pipe->process = process;
  pipe->next = pipes;
  pipes = pipe;
  pipe->stream->position = 0; /* what ftell() says of a pipe of popen(), and not of others */
  strlcpy(pipe->stream->mode, mode, sizeof(pipe->stream->mode));
  return pipe->stream;
}

/* The same; a child without a stream would belong to nobody. */
static php_stream *open_pipe_or_stop(safe_process *process, const char *mode, bool reads) {
  php_stream *volatile stream = NULL;

  zend_try { stream = open_pipe(process, mode, reads); }
  zend_end_try();
  if (stream != NULL) return stream;
  safehold_child_stop(process, NULL, NULL);
  safe_process_free(process);
  zend_bailout(); /* no memory */
}

static ZEND_NAMED_FUNCTION(replaced_popen) {
  size_t command_length, mode_length;
  safe_error error = SAFE_ERROR_INIT;
  safe_spawn_options options;
  safe_process *process;
  php_stream *stream;
  char *command, *mode, plain[3];
  bool reads;

  ZEND_PARSE_PARAMETERS_START(2, 2)
  Z_PARAM_PATH(command, command_length)
  Z_PARAM_STRING(mode, mode_length)
  ZEND_PARSE_PARAMETERS_END();
  if (!read_mode(mode, mode_length, plain)) {
    zend_argument_value_error(2, "must be one of \"r\", \"rb\", \"w\", or \"wb\"");
    RETURN_THROWS();
  }
  if (strlen(plain) != 1) {
    php_error_docref2(NULL, command, plain, E_WARNING, "%s", strerror(EINVAL));
    RETURN_FALSE;
  }
  reads = plain[0] == 'r';
  safehold_child_options(&options);
  /* The shell takes an empty command line, which safe_spawn calls a mistake. */
  options.shell = command_length > 0 ? command : " ";
  (reads ? &options.out : &options.in)->kind = SAFE_STDIO_PIPE;
  (reads ? &options.out : &options.in)->flags = SAFE_STDIO_BLOCKING;
  if (safehold_child_spawn(&process, &options, &error) != SAFE_OK) {
    php_error_docref2(NULL, command, plain, E_WARNING, "%s", error.message);
    RETURN_FALSE;
  }
  stream = open_pipe_or_stop(process, mode, reads);
  php_stream_to_zval(stream, return_value);
}

static zif_handler original;

static void undo_popen(void) {
  safehold_replace_function("popen", original, NULL);
  if (php_stream_stdio_ops.close == close_plain_or_pipe) php_stream_stdio_ops.close = close_plain;
}

static zend_result apply_popen(void) {
  if (safehold_replace_function("popen", replaced_popen, &original) != SUCCESS) return FAILURE;
  close_plain = php_stream_stdio_ops.close;
  php_stream_stdio_ops.close = close_plain_or_pipe;
  return SUCCESS;
}

const struct safehold_replacement safehold_replacement_popen = {"popen", apply_popen, undo_popen};
