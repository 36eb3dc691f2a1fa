/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool buffer_reserve(struct buffer *buffer, size_t more) {
  size_t room = buffer->room == 0 ? 256 : buffer->room;
  char *bytes;

  if (buffer->failed) return false;
  if (more <= buffer->room - buffer->length) return true;
  if (more > (size_t)-1 / 4 - buffer->length) return !(buffer->failed = true);
  while (room - buffer->length < more) room *= 2;
  bytes = realloc(buffer->bytes, room);
  if (bytes == NULL) return !(buffer->failed = true);
  buffer->bytes = bytes;
  buffer->room = room;
  return true;
}

bool buffer_add(struct buffer *buffer, const void *bytes, size_t length) {
  if (!buffer_reserve(buffer, length)) return false;
  if (length > 0) memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
  return true;
}

bool buffer_text(struct buffer *buffer, const char *text) { return buffer_add(buffer, text, strlen(text)); }

bool buffer_print_list(struct buffer *buffer, const char *format, va_list list) {
  va_list again;
  int length;

  va_copy(again, list);
  length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  if (length < 0 || !buffer_reserve(buffer, (size_t)length + 1)) return !(buffer->failed = true);
  vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, list);
  buffer->length += (size_t)length;
  return true;
}

bool buffer_print(struct buffer *buffer, const char *format, ...) {
  va_list list;
  bool done;

  va_start(list, format);
  done = buffer_print_list(buffer, format, list);
  va_end(list);
  return done;
}

bool buffer_insert(struct buffer *buffer, size_t offset, const void *bytes, size_t length) {
  if (!buffer_reserve(buffer, length)) return false;
  memmove(buffer->bytes + offset + length, buffer->bytes + offset, buffer->length - offset);
  memcpy(buffer->bytes + offset, bytes, length);
  buffer->length += length;
  return true;
}

bool buffer_html(struct buffer *buffer, const char *text) {
  for (; *text != '\0'; text++) {
    switch (*text) {
    case '&':
      buffer_text(buffer, "&amp;");
      break;
    case '<':
      buffer_text(buffer, "&lt;");
      break;
    case '>':
      buffer_text(buffer, "&gt;");
      break;
    case '"':
      buffer_text(buffer, "&quot;");
      break;
    case '\'':
      buffer_text(buffer, "&#39;");
      break;
    default:
      buffer_add(buffer, text, 1);
    }
  }
  return !buffer->failed;
}

void buffer_clear(struct buffer *buffer, size_t keep) {
  if (buffer->room > keep) buffer_free(buffer);
  buffer->length = 0;
  buffer->failed = false;
}

void buffer_free(struct buffer *buffer) {
  free(buffer->bytes);
  buffer->bytes = NULL;
  buffer->length = buffer->room = 0;
}
