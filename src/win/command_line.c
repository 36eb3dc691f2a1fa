/* SPDX-License-Identifier: MIT */
/*
 * A Windows process gets one string, and splits it itself. The rules are those of the C runtime: 2n backslashes
 * before a quote are n backslashes and a quote that opens or closes; 2n+1 are n backslashes and a quote that is a
 * character; other backslashes are just that. The program's own name is the exception: no backslash counts there.
 */
#include <string.h>
#include <wchar.h>

#include "line.h"
#include "program.h"

static void put_name(struct safe__win_line *line, const wchar_t *name) {
  safe__win_line_put(line, 1, L'"');
  safe__win_line_text(line, name);
  safe__win_line_put(line, 1, L'"');
}

static void put_argument(struct safe__win_line *line, const wchar_t *argument) {
  size_t slashes = 0;

  /* The runtime expands * and ? where they are not quoted. */
  if (*argument != L'\0' && wcspbrk(argument, L" \t\n\v\r\"*?") == NULL) {
    safe__win_line_text(line, argument);
    return;
  }
  safe__win_line_put(line, 1, L'"');
  for (; *argument != L'\0'; argument++) {
    if (*argument == L'\\') {
      slashes++;
      continue;
    }
    safe__win_line_put(line, *argument == L'"' ? slashes * 2 + 1 : slashes, L'\\');
    safe__win_line_put(line, 1, *argument);
    slashes = 0;
  }
  safe__win_line_put(line, slashes * 2, L'\\');
  safe__win_line_put(line, 1, L'"');
}

static int put_one(struct safe__win_line *line, const wchar_t *argument, int at, bool verbatim, safe_error *error) {
  if (at > 0) safe__win_line_put(line, 1, L' ');
  if (verbatim)
    safe__win_line_text(line, argument);
  else if (at > 0)
    put_argument(line, argument);
  else if (wcschr(argument, L'"') != NULL)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_PREPARE, 0,
                      "Argument 0 has a quotation mark, which a program's name cannot have.");
  else
    put_name(line, argument);
  return SAFE_OK;
}

int safe__win_command_line(const char *const *argv, bool verbatim, wchar_t **out, safe_error *error) {
  struct safe__win_line line;
  wchar_t *wide;
  int at, code = safe__win_line_begin(&line, error);

  if (code != SAFE_OK) return code;
  /* Beyond the limit the rest is only so much work. */
  for (at = 0; code == SAFE_OK && argv[at] != NULL && line.length < SAFE__LINE_LIMIT; at++) {
    code = safe__win_line_wide(argv[at], at, &wide, error);
    if (code != SAFE_OK) break;
    code = put_one(&line, wide, at, verbatim, error);
    safe__free(wide);
  }
  return safe__win_line_end(&line, code, SAFE__LINE_LIMIT - 1, "Windows", out, error);
}

int safe__win_shell_line(const char *shell, wchar_t **out, safe_error *error) {
  struct safe__win_line line;
  wchar_t *wide;
  int code;

  /* cmd.exe ends at the first line break, and says nothing of what came after it. */
  if (strpbrk(shell, "\r\n") != NULL)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_PREPARE, -1,
                      "The shell command has a line break, behind which cmd.exe would ignore it.");
  code = safe__win_line_wide(shell, -1, &wide, error);
  if (code != SAFE_OK) return code;
  code = safe__win_line_begin(&line, error);
  if (code == SAFE_OK) {
    safe__win_line_text(&line, L"cmd.exe /d /s /c \""); /* /s: nothing but the outer quotes is taken away */
    safe__win_line_text(&line, wide);
    safe__win_line_put(&line, 1, L'"');
    code = safe__win_line_end(&line, code, SAFE__SHELL_LIMIT, "cmd.exe", out, error);
  }
  safe__free(wide);
  return code;
}
