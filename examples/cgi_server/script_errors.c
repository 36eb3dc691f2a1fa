/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "log.h"
#include "script.h"

static void say_line(struct script *script) {
  struct errors *errors = &script->errors;
  size_t at;

  for (at = 0; at < errors->length; at++)
    if (errors->line[at] == '\0') errors->line[at] = ' ';
  errors->total +=
    log_line("%s[%d]: %.*s", script->place.name, script->process.uv.pid, (int)errors->length, errors->line);
  errors->length = 0;
}

void errors_add(struct script *script, const char *bytes, size_t length) {
  struct errors *errors = &script->errors;
  size_t at;

  if (errors->total >= ERRORS_MOST) return;
  for (at = 0; at < length && errors->total < ERRORS_MOST; at++) {
    if (bytes[at] != '\n') errors->line[errors->length++] = bytes[at];
    if (errors->length == ERROR_LINE || (bytes[at] == '\n' && errors->length > 0)) say_line(script);
  }
  if (errors->total < ERRORS_MOST) return;
  errors->length = 0;
  log_line("%s[%d] writes too much to stderr: the rest is not logged", script->place.name, script->process.uv.pid);
}

void errors_end(struct script *script) {
  if (script->errors.length > 0) say_line(script);
}
