/* SPDX-License-Identifier: MIT */
/* The open file of a PHP stream. */
#ifndef SAFEHOLD_PHP_STREAM_FILE_H
#define SAFEHOLD_PHP_STREAM_FILE_H

#include "php_safehold.h"

/* A copy, to be closed, of the descriptor of a stream of a plain file, which no child inherits;
   SAFE_INVALID_HANDLE where the stream is closed or of another kind. */
safe_handle safehold_copy_of_stream(zval *resource);
void safehold_close_file(safe_handle file);

/* A path by which the library can be asked about an open file, in `space` of at least 64 bytes; NULL where the system
   has none. */
const char *safehold_name_of_file(safe_handle file, char *space, size_t size);

#endif
