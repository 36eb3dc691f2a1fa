/* SPDX-License-Identifier: MIT */
/* Files that PHP opens are close-on-exec, as mode 'e' asks for: what mail(), an extension or pcntl_exec() starts by its
   own means does not inherit them, nor the locks on them. Sockets and PHP's temporary files are not opened here. */
#include <fcntl.h>

#include "replace.h"

static const php_stream_wrapper_ops *plain_ops;
static php_stream_wrapper_ops ops;

static php_stream *open_plain(php_stream_wrapper *wrapper, const char *path, const char *mode, int options,
                              zend_string **opened_path, php_stream_context *context STREAMS_DC) {
  char with_e[sizeof(((php_stream *)NULL)->mode)];
  php_stream *stream;
  int flags;

  /* A mode that is wrong is to be named as it was given. */
  if (strlen(mode) + 1 >= sizeof(with_e) || php_stream_parse_fopen_modes(mode, &flags) != SUCCESS)
    return plain_ops->stream_opener(wrapper, path, mode, options, opened_path, context STREAMS_REL_CC);
  snprintf(with_e, sizeof(with_e), "%se", mode);
  stream = plain_ops->stream_opener(wrapper, path, with_e, options, opened_path, context STREAMS_REL_CC);
  if (stream != NULL) strlcpy(stream->mode, mode, sizeof(stream->mode)); /* stream_get_meta_data() tells it */
  return stream;
}

static void undo_cloexec(void) {
  if (php_plain_files_wrapper.wops == &ops) php_plain_files_wrapper.wops = plain_ops;
}

static zend_result apply_cloexec(void) {
#ifdef O_CLOEXEC
  plain_ops = php_plain_files_wrapper.wops;
  ops = *plain_ops;
  ops.stream_opener = open_plain;
  php_plain_files_wrapper.wops = &ops;
  return SUCCESS;
#else
  return FAILURE;
#endif
}

const struct safehold_replacement safehold_replacement_cloexec = {"cloexec", apply_cloexec, undo_cloexec};
