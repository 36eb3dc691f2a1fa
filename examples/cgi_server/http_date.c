/* SPDX-License-Identifier: MIT */
#include "http_date.h"

#include <stdio.h>
#include <string.h>

/* Not strftime's %a and %b, which are the locale's. */
static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void http_date_write(char text[HTTP_DATE_SIZE], time_t when) {
  struct tm parts;

  gmtime_r(&when, &parts);
  snprintf(text, HTTP_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday], parts.tm_mday,
           months[parts.tm_mon], (parts.tm_year + 1900) % 10000, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

time_t http_date_read(const char *text) {
  static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};
  size_t at;

  for (at = 0; at < sizeof(forms) / sizeof(forms[0]); at++) {
    struct tm parts;
    const char *end;

    memset(&parts, 0, sizeof(parts));
    end = strptime(text, forms[at], &parts);
    if (end != NULL && *end == '\0') return timegm(&parts);
  }
  return -1;
}
