/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool make_room(struct text *text, size_t more) {
  size_t room = text->room == 0 ? 256 : text->room;
  char *bytes;

  while (room < text->length + more + 1) room *= 2;
  if (room == text->room) return true;
  bytes = realloc(text->bytes, room);
  if (bytes == NULL) return false;
  text->bytes = bytes;
  text->room = room;
  return true;
}

void text_add(struct text *text, const char *format, ...) {
  va_list arguments;
  int length;

  va_start(arguments, format);
  length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0 || !make_room(text, (size_t)length)) {
    text->no_memory = true;
    return;
  }
  va_start(arguments, format);
  vsnprintf(text->bytes + text->length, text->room - text->length, format, arguments);
  va_end(arguments);
  text->length += (size_t)length;
}

void text_free(struct text *text) {
  free(text->bytes);
  memset(text, 0, sizeof(*text));
}

/* How many bytes the character at the place has, and which it is; 0: it is none. As Unicode 15, table 3-7: no
   surrogate, none in more bytes than it needs, none beyond U+10FFFF. */
static size_t character(const unsigned char *at, uint32_t *code) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
  size_t index;

  if (at[0] >= 0xf8 || (at[0] & 0xc0) == 0x80) return 0;
  *code = length == 1 ? at[0] : at[0] & (0xffU >> (length + 1));
  for (index = 1; index < length; index++) {
    if ((at[index] & 0xc0) != 0x80) return 0; /* also at the zero that ends it */
    *code = *code << 6 | (at[index] & 0x3f);
  }
  if (*code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff)) return 0;
  return length;
}

static bool controls(uint32_t code) { return code < ' ' || (code >= 0x7f && code < 0xa0); }

char *text_clean(const char *words, bool fit_to_print) {
  static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
  const unsigned char *from = (const unsigned char *)words;
  char *clean = malloc(strlen(words) * 3 + 1); /* each byte may become a replacement */
  char *to = clean;
  uint32_t code;
  size_t length;

  if (clean == NULL) return NULL;
  for (; *from != '\0'; from += length == 0 ? 1 : length) {
    length = character(from, &code);
    if (length == 0) {
      memcpy(to, replacement, sizeof(replacement) - 1);
      to += sizeof(replacement) - 1;
    } else if (fit_to_print && code != '\n' && controls(code)) {
      *to++ = '?';
    } else {
      memcpy(to, from, length);
      to += length;
    }
  }
  *to = '\0';
  return clean;
}

const char *text_time(int64_t ms, char time[TEXT_TIME_SIZE]) {
  time_t seconds = (time_t)(ms / 1000);
  const struct tm *parts = ms > 0 && (int64_t)seconds == ms / 1000 ? gmtime(&seconds) : NULL;
  size_t length = 0;

  if (parts != NULL && parts->tm_year < 10000 - 1900)
    length = strftime(time, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", parts);
  time[length] = '\0';
  if (length > 0) snprintf(time + length, TEXT_TIME_SIZE - length, ".%03dZ", (int)(ms % 1000));
  return time;
}

void table_cell(struct table *table, const char *format, ...) {
  char words[512], **cells;
  va_list arguments;

  if (table->count == table->room) {
    cells = realloc(table->cells, (table->room + 64) * sizeof(*cells));
    if (cells == NULL) {
      table->no_memory = true;
      return;
    }
    table->cells = cells;
    table->room += 64;
  }
  va_start(arguments, format);
  vsnprintf(words, sizeof(words), format, arguments);
  va_end(arguments);
  table->cells[table->count] = text_clean(words[0] == '\0' ? "-" : words, true);
  if (table->cells[table->count] == NULL)
    table->no_memory = true;
  else
    table->count++;
}

/* In characters: the bytes that do not go on with one. */
static size_t width(const char *words) {
  size_t count = 0;

  for (; *words != '\0'; words++) count += ((unsigned char)*words & 0xc0) != 0x80;
  return count;
}

void table_write(const struct table *table, struct text *text) {
  size_t column, cell, widest, at;

  if (table->no_memory) text->no_memory = true;
  for (cell = 0; cell < table->count; cell++) {
    column = cell % table->columns;
    if (column + 1 == table->columns || cell + 1 == table->count) {
      text_add(text, "%s\n", table->cells[cell]);
      continue;
    }
    for (widest = 0, at = column; at < table->count; at += table->columns)
      if (width(table->cells[at]) > widest) widest = width(table->cells[at]);
    text_add(text, "%s%*s", table->cells[cell], (int)(widest - width(table->cells[cell]) + 2), "");
  }
}

void table_free(struct table *table) {
  while (table->count > 0) free(table->cells[--table->count]);
  free(table->cells);
}
