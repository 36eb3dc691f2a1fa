/* SPDX-License-Identifier: MIT */
/*
 * A Windows process gets one string, and splits it itself. The rules are those of the C runtime: 2n backslashes
 * before a quote are n backslashes and a quote that opens or closes; 2n+1 are n backslashes and a quote that is a
 * character; other backslashes are just that. The program's own name is the exception: no backslash counts there.
 */
#include <string.h>
#include <wchar.h>

#include "program.h"

#define LINE_LIMIT 32767 /* of CreateProcess, with the NUL */
#define SHELL_LIMIT 8191 /* of cmd.exe, which drops the rest */

struct line {
  wchar_t *text;
  size_t length;
};

static void put(struct line *line, size_t count, wchar_t character) {
  for (; count > 0; count--) {
    if (line->length < LINE_LIMIT) line->text[line->length] = character;
    line->length++;
  }
}

static void put_text(struct line *line, const wchar_t *text) {
  for (; *text != L'\0'; text++) put(line, 1, *text);
}

static void put_name(struct line *line, const wchar_t *name) {
  put(line, 1, L'"');
  put_text(line, name);
  put(line, 1, L'"');
}

static void put_argument(struct line *line, const wchar_t *argument) {
  size_t slashes = 0;

  /* The runtime expands * and ? where they are not quoted. */
  if (*argument != L'\0' && wcspbrk(argument, L" \t\n\v\r\"*?") == NULL) {
    put_text(line, argument);
    return;
  }
  put(line, 1, L'"');
  for (; *argument != L'\0'; argument++) {
    if (*argument == L'\\') {
      slashes++;
      continue;
    }
    put(line, *argument == L'"' ? slashes * 2 + 1 : slashes, L'\\');
    put(line, 1, *argument);
    slashes = 0;
  }
  put(line, slashes * 2, L'\\');
  put(line, 1, L'"');
}

static int too_long(safe_error *error) {
  return safe__fail(error, SAFE_E2BIG, SAFE_STAGE_PREPARE, -1,
                    "The command line is longer than the %d characters that Windows takes.", LINE_LIMIT - 1);
}

static int put_all(struct line *line, const char *const *argv, safe_error *error) {
  wchar_t *wide;
  int at, code;

  for (at = 0; argv[at] != NULL; at++) {
    code = safe__win_wide(argv[at], &wide);
    if (code == SAFE_ENOMEM) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
    if (code != SAFE_OK) return safe__fail(error, code, SAFE_STAGE_PREPARE, at, "Argument %d is not UTF-8.", at);
    if (at == 0 && wcschr(wide, L'"') != NULL) {
      safe__free(wide);
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_PREPARE, 0,
                        "Argument 0 has a quotation mark, which a program's name cannot have.");
    }
    if (at == 0) {
      put_name(line, wide);
    } else {
      put(line, 1, L' ');
      put_argument(line, wide);
    }
    safe__free(wide);
    if (line->length >= LINE_LIMIT) return too_long(error);
  }
  return SAFE_OK;
}

static int begin(struct line *line, safe_error *error) {
  line->length = 0;
  line->text = safe__alloc((LINE_LIMIT + 1) * sizeof(*line->text)); /* zeroed: it ends with a NUL */
  return line->text != NULL ? SAFE_OK : safe__fail_memory(error, SAFE_STAGE_PREPARE);
}

int safe__win_command_line(const char *const *argv, wchar_t **out, safe_error *error) {
  struct line line;
  int code = begin(&line, error);

  if (code != SAFE_OK) return code;
  code = put_all(&line, argv, error);
  if (code == SAFE_OK)
    *out = line.text;
  else
    safe__free(line.text);
  return code;
}

int safe__win_shell_line(const char *shell, wchar_t **out, safe_error *error) {
  struct line line;
  wchar_t *wide;
  int code;

  /* cmd.exe ends at the first line break, and says nothing of what came after it. */
  if (strpbrk(shell, "\r\n") != NULL)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_PREPARE, -1,
                      "The shell command has a line break, behind which cmd.exe would ignore it.");
  code = safe__win_wide(shell, &wide);
  if (code == SAFE_ENOMEM) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  if (code != SAFE_OK) return safe__fail(error, code, SAFE_STAGE_PREPARE, -1, "The shell command is not UTF-8.");
  code = begin(&line, error);
  if (code == SAFE_OK) {
    put_text(&line, L"cmd.exe /d /s /c \""); /* /s: nothing but the outer quotes is taken away */
    put_text(&line, wide);
    put(&line, 1, L'"');
    if (line.length <= SHELL_LIMIT) {
      *out = line.text;
    } else {
      safe__free(line.text);
      code = safe__fail(error, SAFE_E2BIG, SAFE_STAGE_PREPARE, -1,
                        "The shell command is longer than the %d characters that cmd.exe takes.", SHELL_LIMIT);
    }
  }
  safe__free(wide);
  return code;
}
