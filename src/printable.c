/* SPDX-License-Identifier: MIT */
/* A process chooses its own name, and a file its path; the message that has them goes to logs and terminals. */
#include <string.h>

#include "internal.h"

/* How many bytes the character has that begins here; 0 if it is none, or one that controls a terminal. Overlong forms
   and surrogates are none (RFC 3629, section 3). */
static int width(const unsigned char *at) {
  unsigned lead = at[0];

  if (lead < 0x80) return lead >= ' ' && lead != 0x7f ? 1 : 0;
  if (lead < 0xc2 || lead > 0xf4 || (at[1] & 0xc0) != 0x80) return 0;
  if (lead < 0xe0) return lead == 0xc2 && at[1] < 0xa0 ? 0 : 2; /* U+0080 to U+009F */
  if ((at[2] & 0xc0) != 0x80) return 0;
  if (lead < 0xf0) return (lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f) ? 0 : 3;
  if ((at[3] & 0xc0) != 0x80) return 0;
  return (lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f) ? 0 : 4;
}

void safe__make_printable(char *text) {
  int bytes;

  while (*text != '\0') {
    bytes = width((const unsigned char *)text);
    if (bytes == 0) {
      *text = '?';
      bytes = 1;
    }
    text += bytes;
  }
}

const char *safe__tail(const char *text, size_t most) {
  size_t length = strlen(text);

  return length > most ? text + length - most : text;
}
