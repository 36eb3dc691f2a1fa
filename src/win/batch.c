/* SPDX-License-Identifier: MIT */
/*
 * The checked route to a .bat or .cmd file (SAFE_SPAWN_BATCH). cmd.exe parses the line before the batch file sees it,
 * and the batch file's own commands parse it again at each %1. What either of them may take for syntax, whatever the
 * quotes around it, is refused; nothing is escaped, as no escape survives both.
 */
#include "batch.h"

#include <wchar.h>

#include "line.h"
#include "program.h"

/* What cmd.exe hands over as it is also outside quotes. The comma, the semicolon and the equals sign are not among
   them: it splits arguments there. */
static bool is_plain(wchar_t character) {
  return (character >= L'0' && character <= L'9') || (character >= L'A' && character <= L'Z') ||
         (character >= L'a' && character <= L'z') || wcschr(L"#$*+-./:?@\\_", character) != NULL;
}

/* Control characters: the line breaks end the command, others are removed or end the input. */
static bool is_syntax(wchar_t character) { return character < L' ' || wcschr(L"%\"&|<>^!", character) != NULL; }

/* The reason why cmd.exe would not hand the text over, or NULL. */
static const char *find_fault(const wchar_t *text, bool *quote) {
  size_t at;

  *quote = *text == L'\0';
  for (at = 0; text[at] != L'\0'; at++) {
    if (is_syntax(text[at])) return "has a character that cmd.exe may take for syntax";
    if (!is_plain(text[at])) *quote = true;
  }
  /* For cmd.exe "a b\" is whole; for a program that the batch file hands it to, its last quote is a character. */
  if (*quote && at > 0 && text[at - 1] == L'\\') return "has to be quoted and ends with a backslash";
  return NULL;
}

static int put_argument(struct safe__win_line *line, const wchar_t *argument, int index, safe_error *error) {
  bool quote;
  const char *fault = find_fault(argument, &quote);

  if (fault != NULL)
    return safe__fail(error, SAFE_EBATCH, SAFE_STAGE_PREPARE, index,
                      "Argument %d %s: a batch file would not get it as it is.", index, fault);
  safe__win_line_put(line, 1, L' ');
  if (quote) safe__win_line_put(line, 1, L'"');
  safe__win_line_text(line, argument);
  if (quote) safe__win_line_put(line, 1, L'"');
  return SAFE_OK;
}

int safe__win_batch_arguments(const char *const *argv, wchar_t **out, safe_error *error) {
  struct safe__win_line line;
  wchar_t *wide;
  int at, code = safe__win_line_begin(&line, error);

  if (code != SAFE_OK) return code;
  /* argv[0] is the name that the program would see; a batch file sees its path. */
  for (at = 1; code == SAFE_OK && argv[at] != NULL && line.length < SAFE__LINE_LIMIT; at++) {
    code = safe__win_line_wide(argv[at], at, &wide, error);
    if (code != SAFE_OK) break;
    code = put_argument(&line, wide, at, error);
    safe__free(wide);
  }
  return safe__win_line_end(&line, code, SAFE__SHELL_LIMIT, "cmd.exe", out, error);
}

int safe__win_batch_line(const wchar_t *path, const wchar_t *arguments, wchar_t **out, safe_error *error) {
  struct safe__win_line line;
  bool quote;
  int code;

  if (find_fault(path, &quote) != NULL)
    return safe__fail(error, SAFE_EBATCH, SAFE_STAGE_EXEC, 0,
                      "The batch file's path has a character that cmd.exe may take for syntax.");
  code = safe__win_line_begin(&line, error);
  if (code != SAFE_OK) return code;
  /* No AutoRun commands (/d), no !delayed! expansion (/v), extensions as usual (/e), whatever the registry says. */
  safe__win_line_text(&line, L"cmd.exe /e:on /v:off /d /s /c \"\"");
  safe__win_line_text(&line, path);
  safe__win_line_put(&line, 1, L'"');
  safe__win_line_text(&line, arguments);
  safe__win_line_put(&line, 1, L'"');
  return safe__win_line_end(&line, code, SAFE__SHELL_LIMIT, "cmd.exe", out, error);
}
