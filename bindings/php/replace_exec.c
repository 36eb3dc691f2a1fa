/* SPDX-License-Identifier: MIT */
/* exec(), system(), passthru(), shell_exec() and with it the backticks. */
#include <ctype.h>

#include "SAPI.h"
#include "command.h"
#include "replace.h"
#include "zend_smart_str.h"

#define CHUNK 8192

enum taking { LAST_LINE, KEEP_LINES, PRINT_LINES, PRINT_RAW };

struct taker {
  enum taking taking;
  bool ended;     /* `line` is a whole one, and already taken */
  smart_str line; /* the last one so far */
  zval lines;     /* KEEP_LINES */
};

static size_t without_white_space(const smart_str *line) {
  const char *bytes = ZSTR_VAL(line->s);
  size_t length = ZSTR_LEN(line->s);

  while (length > 0 && isspace((unsigned char)bytes[length - 1])) length--;
  return length;
}

static void take_line(struct taker *taker) {
  taker->ended = true;
  if (taker->taking == KEEP_LINES) {
    add_next_index_stringl(&taker->lines, ZSTR_VAL(taker->line.s), without_white_space(&taker->line));
  } else if (taker->taking == PRINT_LINES) {
    PHPWRITE(ZSTR_VAL(taker->line.s), ZSTR_LEN(taker->line.s));
    if (php_output_get_level() < 1) sapi_flush();
  }
}

static void take(struct taker *taker, const char *bytes, size_t length) {
  const char *newline;
  size_t part;

  if (taker->taking == PRINT_RAW) {
    PHPWRITE(bytes, length);
    return;
  }
  for (; length > 0; bytes += part, length -= part) {
    if (taker->ended) ZSTR_LEN(taker->line.s) = 0;
    taker->ended = false;
    newline = memchr(bytes, '\n', length);
    part = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
    smart_str_appendl(&taker->line, bytes, part);
    if (newline != NULL) take_line(taker);
  }
}

static void take_rest(struct taker *taker, zval *return_value) {
  if (taker->taking == PRINT_RAW) return;
  if (taker->line.s == NULL) {
    RETURN_EMPTY_STRING();
  }
  if (!taker->ended) take_line(taker);
  RETVAL_STRINGL(ZSTR_VAL(taker->line.s), without_white_space(&taker->line));
  smart_str_free(&taker->line);
}

/* A signal handler of the script's may have made something else of its variable meanwhile. */
static void append_lines(zval *array, zval *lines) {
  zval *line;

  if (Z_TYPE_P(array) == IS_ARRAY) {
    SEPARATE_ARRAY(array);
    ZEND_HASH_FOREACH_VAL(Z_ARRVAL_P(lines), line) {
      Z_TRY_ADDREF_P(line);
      if (zend_hash_next_index_insert(Z_ARRVAL_P(array), line) == NULL) Z_TRY_DELREF_P(line);
    }
    ZEND_HASH_FOREACH_END();
  }
  zval_ptr_dtor(lines);
}

static void warn(const safe_error *error) {
  if (error->code == SAFE_ETIMEDOUT || error->code == SAFE_ESTUCK)
    php_error_docref(NULL, E_WARNING, "safehold.exec_timeout was over: %s", error->message);
}

static int run(enum taking taking, const char *line, zval *array, zval *return_value) {
  struct safehold_command *command = safehold_command_start(line);
  struct taker taker = {taking, false, {NULL, 0}, {{0}, {0}, {0}}};
  char chunk[CHUNK];
  safe_error error;
  size_t came;
  int result;

  if (command == NULL) {
    php_error_docref(NULL, E_WARNING, "Unable to fork [%s]", line);
    RETVAL_FALSE;
    return -1;
  }
  if (taking == KEEP_LINES) array_init(&taker.lines);
  while ((came = safehold_command_read(command, chunk, CHUNK)) > 0) take(&taker, chunk, came);
  take_rest(&taker, return_value);
  if (taking == KEEP_LINES) append_lines(array, &taker.lines);
  result = safehold_command_finish(command, &error);
  warn(&error);
  return result;
}

static bool check_command(const char *command, size_t length) {
  if (length == 0) {
#if PHP_VERSION_ID >= 80400
    zend_argument_must_not_be_empty_error(1);
#else
    zend_argument_value_error(1, "cannot be empty");
#endif
    return false;
  }
  if (strlen(command) == length) return true;
  zend_argument_value_error(1, "must not contain any null bytes");
  return false;
}

/* The script's array is looked at before the command runs: it may have a type that refuses one. */
static zval *ready_array(zval *array) {
  zval *value = array;

  ZVAL_DEREF(value);
  return Z_TYPE_P(value) == IS_ARRAY ? value : zend_try_array_init(array);
}

static PHP_FUNCTION(safehold_exec) {
  char *command;
  size_t length;
  zval *array = NULL, *code = NULL;
  int result;

  ZEND_PARSE_PARAMETERS_START(1, 3)
  Z_PARAM_STRING(command, length)
  Z_PARAM_OPTIONAL
  Z_PARAM_ZVAL(array)
  Z_PARAM_ZVAL(code)
  ZEND_PARSE_PARAMETERS_END();

  if (!check_command(command, length)) RETURN_THROWS();
  if (array != NULL && (array = ready_array(array)) == NULL) RETURN_THROWS();
  result = run(array != NULL ? KEEP_LINES : LAST_LINE, command, array, return_value);
  if (code != NULL) ZEND_TRY_ASSIGN_REF_LONG(code, result);
}

static void run_and_print(INTERNAL_FUNCTION_PARAMETERS, enum taking taking) {
  char *command;
  size_t length;
  zval *code = NULL;
  int result;

  ZEND_PARSE_PARAMETERS_START(1, 2)
  Z_PARAM_STRING(command, length)
  Z_PARAM_OPTIONAL
  Z_PARAM_ZVAL(code)
  ZEND_PARSE_PARAMETERS_END();

  if (!check_command(command, length)) RETURN_THROWS();
  result = run(taking, command, NULL, return_value);
  if (code != NULL) ZEND_TRY_ASSIGN_REF_LONG(code, result);
}

static PHP_FUNCTION(safehold_system) { run_and_print(INTERNAL_FUNCTION_PARAM_PASSTHRU, PRINT_LINES); }

static PHP_FUNCTION(safehold_passthru) { run_and_print(INTERNAL_FUNCTION_PARAM_PASSTHRU, PRINT_RAW); }

static PHP_FUNCTION(safehold_shell_exec) {
  struct safehold_command *started;
  smart_str output = {NULL, 0};
  char *command, chunk[CHUNK];
  size_t length, came;
  safe_error error;

  ZEND_PARSE_PARAMETERS_START(1, 1)
  Z_PARAM_STRING(command, length)
  ZEND_PARSE_PARAMETERS_END();

  if (!check_command(command, length)) RETURN_THROWS();
  started = safehold_command_start(command);
  if (started == NULL) {
    php_error_docref(NULL, E_WARNING, "Unable to execute '%s'", command);
    RETURN_FALSE;
  }
  while ((came = safehold_command_read(started, chunk, CHUNK)) > 0) smart_str_appendl(&output, chunk, came);
  if (output.s != NULL) RETVAL_STR(smart_str_extract(&output));
  safehold_command_finish(started, &error);
  warn(&error);
}

static zend_result apply(const char *name, zif_handler with) {
  safehold_command_register();
  return safehold_replace_function(name, with, NULL);
}

static zend_result apply_exec(void) { return apply("exec", ZEND_FN(safehold_exec)); }
const struct safehold_replacement safehold_replacement_exec = {"exec", apply_exec, NULL};

static zend_result apply_shell_exec(void) { return apply("shell_exec", ZEND_FN(safehold_shell_exec)); }
const struct safehold_replacement safehold_replacement_shell_exec = {"shell_exec", apply_shell_exec, NULL};

static zend_result apply_system(void) { return apply("system", ZEND_FN(safehold_system)); }
const struct safehold_replacement safehold_replacement_system = {"system", apply_system, NULL};

static zend_result apply_passthru(void) { return apply("passthru", ZEND_FN(safehold_passthru)); }
const struct safehold_replacement safehold_replacement_passthru = {"passthru", apply_passthru, NULL};
