/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "os.h"

/* strerror_l, as strerror is not thread-safe and strerror_r has two incompatible forms; in English, like the rest of
   the message. */
void safe__os_describe(int64_t os_code, char *text, size_t size) {
  locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

  if (locale == (locale_t)0) {
    snprintf(text, size, "system error");
    return;
  }
  snprintf(text, size, "%s", strerror_l((int)os_code, locale));
  freelocale(locale);
}
