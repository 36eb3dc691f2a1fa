/* SPDX-License-Identifier: MIT */
#include "crt_table.h"

#include <string.h>

/* Of the runtime's private header. Without FTEXT a descriptor is binary: nothing in it is changed on the way. */
#define FOPEN 0x01
#define FPIPE 0x08
#define FDEV 0x40

static int count_of(const struct safe__win_crt_table *table) {
  int count;

  memcpy(&count, table->bytes, sizeof(count));
  return count;
}

static BYTE *flags_at(struct safe__win_crt_table *table, int target) { return table->bytes + sizeof(int) + target; }

/* Behind all flags, and so aligned to nothing. */
static BYTE *handle_at(struct safe__win_crt_table *table, int target) {
  return flags_at(table, count_of(table)) + (size_t)target * sizeof(HANDLE);
}

static void put_handle(struct safe__win_crt_table *table, int target, HANDLE handle) {
  memcpy(handle_at(table, target), &handle, sizeof(handle));
}

void safe__win_crt_begin(struct safe__win_crt_table *table, int highest) {
  int at, count = highest + 1;

  memset(table, 0, sizeof(*table));
  memcpy(table->bytes, &count, sizeof(count));
  table->size = (WORD)(sizeof(int) + (size_t)count * (1 + sizeof(HANDLE)));
  /* Those of the standard streams too: the runtime then takes them from where every program finds them. */
  for (at = 0; at < count; at++) put_handle(table, at, INVALID_HANDLE_VALUE);
}

void safe__win_crt_set(struct safe__win_crt_table *table, int target, HANDLE file, HANDLE handle) {
  DWORD type = GetFileType(file);

  *flags_at(table, target) = FOPEN | (type == FILE_TYPE_PIPE ? FPIPE : 0) | (type == FILE_TYPE_CHAR ? FDEV : 0);
  put_handle(table, target, handle);
}
