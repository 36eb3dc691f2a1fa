/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_BUFFER_H
#define CGI_SERVER_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes that grow. Once there was no memory it stays failed and takes nothing more, so that a caller who puts many
   pieces together asks once, at the end. All zero is an empty one. */
struct buffer {
  char *bytes;
  size_t length, room;
  bool failed;
};

bool buffer_reserve(struct buffer *buffer, size_t more);
bool buffer_add(struct buffer *buffer, const void *bytes, size_t length);
bool buffer_text(struct buffer *buffer, const char *text);
bool buffer_print(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buffer_print_list(struct buffer *buffer, const char *format, va_list list);
/* Opens a gap of length bytes at offset, for the caller to fill. */
bool buffer_insert(struct buffer *buffer, size_t offset, const void *bytes, size_t length);
/* Text, with what HTML gives a meaning written as entities. */
bool buffer_html(struct buffer *buffer, const char *text);
/* Empty; keeps its memory unless that is more than keep bytes. */
void buffer_clear(struct buffer *buffer, size_t keep);
void buffer_free(struct buffer *buffer);

#endif
