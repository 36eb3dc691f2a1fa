/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

bool cli_duration(const char *text, int64_t *ms) {
  static const struct {
    const char *suffix;
    double seconds;
  } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  double value;
  char *end;
  size_t at;

  /* strtod also takes blanks, signs, "inf", "nan" and hexadecimals, which are no durations. */
  if (text[strspn(text, "0123456789.")] != '\0' && strchr("smhd", text[strspn(text, "0123456789.")]) == NULL)
    return false;
  value = strtod(text, &end);
  if (end == text) return false;
  for (at = 0; at < sizeof(units) / sizeof(units[0]); at++) {
    if (strcmp(end, units[at].suffix) != 0) continue;
    value *= units[at].seconds * 1000;
    if (!(value < 1e15)) return false;
    *ms = (int64_t)(value + 0.999); /* up: a little time is never none */
    return true;
  }
  return false;
}

bool cli_number(const char *text, int64_t *number) {
  char *end;
  long long value;

  if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0') return false;
  errno = 0;
  value = strtoll(text, &end, 10);
  *number = value;
  return errno == 0;
}

bool cli_bytes(const char *text, int64_t *bytes) {
  static const char suffixes[] = "KMGT";
  size_t length = strspn(text, "0123456789.");
  const char *suffix = text[length] == '\0' ? NULL : strchr(suffixes, text[length]);
  double value;
  char *end;

  if (text[length] == '\0' && cli_number(text, bytes)) return true;
  if (suffix == NULL || text[length + 1] != '\0') return false;
  value = strtod(text, &end);
  if (length == 0 || end != text + length) return false;
  for (; suffix >= suffixes; suffix--) value *= 1024;
  if (!(value < 9e18)) return false;
  *bytes = (int64_t)value;
  return true;
}

int cli_started(int code, const safe_error *error) {
  if (code == SAFE_OK) return 0;
  cli_complain("%s", error->message);
  if (error->stage != SAFE_STAGE_EXEC && error->stage != SAFE_STAGE_SEARCH) return EXIT_OWN_FAILURE;
  if (code == SAFE_ETIMEDOUT || code == SAFE_ESTUCK) return EXIT_OWN_FAILURE;
  return code == SAFE_ENOENT || code == SAFE_ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE;
}

int cli_spawn(safe_process **process, const safe_spawn_options *options) {
  safe_error error = SAFE_ERROR_INIT;

  return cli_started(safe_spawn(process, options, &error), &error);
}

int cli_status(const safe_exit *exit) {
  if (exit->kind == SAFE_EXIT_CODE) return (int)exit->code;
  if (exit->kind == SAFE_EXIT_SIGNAL) return EXIT_SIGNAL + exit->signal;
  cli_complain("the command ended, but its exit status cannot be known");
  return EXIT_OWN_FAILURE;
}
