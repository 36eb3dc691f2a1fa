/* SPDX-License-Identifier: MIT */
#include "line.h"

int safe__win_line_begin(struct safe__win_line *line, safe_error *error) {
  line->length = 0;
  line->text = safe__alloc((SAFE__LINE_LIMIT + 1) * sizeof(*line->text)); /* zeroed: it ends with a NUL */
  return line->text != NULL ? SAFE_OK : safe__fail_memory(error, SAFE_STAGE_PREPARE);
}

void safe__win_line_put(struct safe__win_line *line, size_t count, wchar_t character) {
  for (; count > 0; count--) {
    if (line->length < SAFE__LINE_LIMIT) line->text[line->length] = character;
    line->length++;
  }
}

void safe__win_line_text(struct safe__win_line *line, const wchar_t *text) {
  for (; *text != L'\0'; text++) safe__win_line_put(line, 1, *text);
}

int safe__win_line_end(struct safe__win_line *line, int code, size_t limit, const char *who, wchar_t **out,
                       safe_error *error) {
  if (code == SAFE_OK && line->length > limit)
    code = safe__fail(error, SAFE_E2BIG, SAFE_STAGE_PREPARE, -1,
                      "The command line is longer than the %d characters that %s takes.", (int)limit, who);
  if (code == SAFE_OK)
    *out = line->text;
  else
    safe__free(line->text);
  return code;
}

int safe__win_line_wide(const char *text, int index, wchar_t **wide, safe_error *error) {
  int code = safe__win_wide(text, wide);

  if (code == SAFE_ENOMEM) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  if (code == SAFE_OK) return SAFE_OK;
  if (index < 0) return safe__fail(error, code, SAFE_STAGE_PREPARE, -1, "The shell command is not UTF-8.");
  return safe__fail(error, code, SAFE_STAGE_PREPARE, index, "Argument %d is not UTF-8.", index);
}
