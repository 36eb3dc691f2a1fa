/* SPDX-License-Identifier: MIT */
/* Text that grows, and tables of it. */
#ifndef SAFEHOLD_CLI_TEXT_H
#define SAFEHOLD_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CLI_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define CLI_PRINTF(at, first)
#endif

/* All zeroes is an empty one. */
struct text {
  char *bytes; /* ends with a zero, or NULL */
  size_t length, room;
  bool no_memory; /* something is missing */
};

void text_add(struct text *text, const char *format, ...) CLI_PRINTF(2, 3);
void text_free(struct text *text);

/*
 * The words as valid UTF-8: what is not becomes U+FFFD. File names and program names are bytes that anybody may choose.
 * fit_to_print: control characters, which a terminal might obey, become '?'; newlines stay. NULL without memory; to be
 * freed.
 */
char *text_clean(const char *words, bool fit_to_print);

/* Milliseconds since 1970 as 2026-11-22T09:30:00.125Z; "" when there is no such time. */
#define TEXT_TIME_SIZE 40
const char *text_time(int64_t ms, char time[TEXT_TIME_SIZE]);

/* Cells from left to right and top to bottom, the first row being the headings. */
struct table {
  size_t columns, count, room;
  char **cells;
  bool no_memory;
};

void table_cell(struct table *table, const char *format, ...) CLI_PRINTF(2, 3);
/* Each column as wide as its widest cell, two blanks between. */
void table_write(const struct table *table, struct text *text);
void table_free(struct table *table);

#endif
