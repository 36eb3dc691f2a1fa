/* SPDX-License-Identifier: MIT */
#include "range.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool number(const char **text, uint64_t *value) {
  char *end;

  if (**text < '0' || **text > '9') return false;
  errno = 0;
  *value = strtoull(*text, &end, 10);
  *text = end;
  return errno == 0;
}

enum range_kind range_read(const char *text, uint64_t size, uint64_t *begin, uint64_t *end) {
  uint64_t first = 0, last = UINT64_MAX;
  bool from_end;

  if (strncmp(text, "bytes=", 6) != 0) return RANGE_NONE;
  text += 6;
  from_end = *text == '-';
  if (!from_end && !number(&text, &first)) return RANGE_NONE;
  if (*text++ != '-') return RANGE_NONE;
  if (*text != '\0' && !number(&text, &last)) return RANGE_NONE;
  if (*text != '\0' || (from_end && last == UINT64_MAX)) return RANGE_NONE;
  if (from_end) { /* the last so many bytes */
    if (last == 0) return RANGE_IMPOSSIBLE;
    first = last < size ? size - last : 0;
    last = UINT64_MAX;
  }
  if (first > last) return RANGE_NONE;
  if (first >= size) return RANGE_IMPOSSIBLE;
  *begin = first;
  *end = last >= size - 1 ? size : last + 1;
  return RANGE_ONE;
}
