/* SPDX-License-Identifier: MIT */
/* Safehold\why(), Safehold\leaks(), and the objects that tell who holds what. */
#include "api.h"

#include "zend_exceptions.h"
#include "zend_interfaces.h"

#include "api_explain_arginfo.h"

static zend_class_entry *holder_class, *link_class, *explanation_class, *leak_class;

void safehold_register_explain(void) {
  holder_class = register_class_Safehold_Holder();
  link_class = register_class_Safehold_Link();
  explanation_class = register_class_Safehold_Explanation(zend_ce_stringable);
  leak_class = register_class_Safehold_Leak();
}

/* Private: only the functions below make them. */
ZEND_METHOD(Safehold_Holder, __construct) { ZEND_PARSE_PARAMETERS_NONE(); }
ZEND_METHOD(Safehold_Link, __construct) { ZEND_PARSE_PARAMETERS_NONE(); }
ZEND_METHOD(Safehold_Explanation, __construct) { ZEND_PARSE_PARAMETERS_NONE(); }
ZEND_METHOD(Safehold_Leak, __construct) { ZEND_PARSE_PARAMETERS_NONE(); }

/* ---- Values into read-only properties. */

static void put(zend_object *object, const char *name, zval *value) {
  zend_update_property(object->ce, object, name, strlen(name), value);
  zval_ptr_dtor(value);
}

static void put_string(zend_object *object, const char *name, const char *text) {
  zval value;

  if (text != NULL)
    ZVAL_STRING(&value, text);
  else
    ZVAL_NULL(&value);
  put(object, name, &value);
}

/* null where it is `unknown`. */
static void put_number(zend_object *object, const char *name, int64_t number, int64_t unknown) {
  zval value;

  if (number != unknown)
    ZVAL_LONG(&value, (zend_long)number);
  else
    ZVAL_NULL(&value);
  put(object, name, &value);
}

static void put_seconds(zend_object *object, const char *name, int64_t ms, int64_t unknown) {
  zval value;

  if (ms != unknown)
    ZVAL_DOUBLE(&value, (double)ms / 1000);
  else
    ZVAL_NULL(&value);
  put(object, name, &value);
}

static void put_bool(zend_object *object, const char *name, bool yes) {
  zval value;

  ZVAL_BOOL(&value, yes);
  put(object, name, &value);
}

/* The word for a number of the library; NULL: it is not known. */
#define WORD(words, number) word(words, sizeof(words) / sizeof((words)[0]), number)
static const char *word(const char *const *words, size_t count, int number) {
  return number >= 0 && (size_t)number < count ? words[number] : NULL;
}

static const char *const modes[] = {"exclusive", "shared"};
static const char *const methods[] = {NULL, "ofd", "flock", "far", "both", "posix", "compat"};

/* ---- Who holds it. */

static void make_holder(zval *into, const safe_holder *holder) {
  static const char *const roles[] = {"holds", "waits", "opens"};
  static const char *const vias[] = {"unknown", "locked", "inherited", "record"};
  const char state[2] = {(char)holder->state, '\0'};
  zend_object *object;

  object_init_ex(into, holder_class);
  object = Z_OBJ_P(into);
  put_number(object, "pid", holder->pid, -1);
  put_string(object, "name", holder->name);
  put_string(object, "role", WORD(roles, holder->role));
  put_string(object, "mode", WORD(modes, holder->mode));
  put_string(object, "method", WORD(methods, holder->method));
  put_number(object, "fd", holder->handle, -1);
  put_string(object, "via", WORD(vias, holder->via));
  put_seconds(object, "since", holder->since_ms, 0);
  put_string(object, "state", holder->state != 0 ? state : NULL);
  put_number(object, "offset", holder->offset, -1);
  put_number(object, "length", holder->length, -1);
}

void safehold_holders_to_array(const safe_holder_list *list, zval *array) {
  size_t at;

  array_init(array);
  for (at = 0; at < safe_holder_list_count(list); at++) {
    zval holder;

    make_holder(&holder, safe_holder_list_get(list, at));
    add_next_index_zval(array, &holder);
  }
}

void safehold_look_for_holders(const char *path, int64_t timeout_ms, zval *array) {
  safe_holder_list *list = NULL;

  if (safe_lock_holders(path, timeout_ms, &list, NULL) != SAFE_OK) {
    array_init(array);
    return;
  }
  safehold_holders_to_array(list, array);
  safe_holder_list_free(list);
}

/* ---- Arguments. */

static void throw_not_allowed(const zend_string *name) {
  safe_error error = SAFE_ERROR_INIT;

  error.code = SAFE_EACCES;
  error.stage = SAFE_STAGE_ARGUMENTS;
  snprintf(error.message, sizeof(error.message), "open_basedir does not allow \"%.400s\".", ZSTR_VAL(name));
  safehold_throw(&error, NULL);
}

#ifdef PHP_WIN32

static char *whole_path(const char *name) { return expand_filepath(name, NULL); }

#else

/* PHP's own would also say where the path leads if it is a symbolic link, and so hide that it is one. */
static char *whole_path(const char *name) {
  const char *slash = strrchr(name, '/'), *last = slash != NULL ? slash + 1 : name;
  char *folder, *whole, *path;

  if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) return expand_filepath(name, NULL);
  folder = slash != NULL ? estrndup(name, (size_t)(last - name)) : estrdup(".");
  whole = expand_filepath(folder, NULL);
  efree(folder);
  if (whole == NULL) return NULL;
  spprintf(&path, 0, "%s%s%s", whole, whole[strlen(whole) - 1] == '/' ? "" : "/", last);
  efree(whole);
  if (strlen(path) < MAXPATHLEN) return path;
  efree(path);
  return NULL;
}

#endif

char *safehold_path(const zend_string *name, uint32_t argument) {
  char *path;

  if (ZSTR_LEN(name) == 0) {
    zend_argument_value_error(argument, "must not be empty");
    return NULL;
  }
  if (CHECK_NULL_PATH(ZSTR_VAL(name), ZSTR_LEN(name))) {
    zend_argument_value_error(argument, "must not contain any null bytes");
    return NULL;
  }
  path = whole_path(ZSTR_VAL(name));
  if (path == NULL) {
    zend_argument_value_error(argument, "is too long for a path");
    return NULL;
  }
  if (php_check_open_basedir_ex(path, 0) == 0) return path;
  efree(path);
  throw_not_allowed(name);
  return NULL;
}

/* What other processes have open and wait for are names of files: sessions of other applications of the same user. */
static bool may_look_at(zend_long pid) {
  safe_error error = SAFE_ERROR_INIT;

  if (PG(open_basedir) == NULL || *PG(open_basedir) == '\0' || pid == (zend_long)getpid()) return true;
  error.code = SAFE_EACCES;
  error.stage = SAFE_STAGE_ARGUMENTS;
  snprintf(error.message, sizeof(error.message), "open_basedir does not allow a look at other processes.");
  safehold_throw(&error, NULL);
  return false;
}

bool safehold_query_ms(double seconds, uint32_t argument, int64_t *ms) {
  if (!(seconds >= 0 && seconds <= 86400)) {
    zend_argument_value_error(argument, "must be between 0 and 86400 seconds");
    return false;
  }
  *ms = (int64_t)(seconds * 1000);
  return true;
}

/* ---- Why. */

static void make_link(zval *into, const safe_link *link) {
  static const char *const waits[] = {"nothing",  "lock",     "child",  "input",   "room",
                                      "continue", "debugger", "kernel", "reaping", "other"};
  zend_object *object;

  object_init_ex(into, link_class);
  object = Z_OBJ_P(into);
  put_number(object, "pid", link->pid, -1);
  put_string(object, "name", link->name);
  put_string(object, "waits", WORD(waits, link->waits) != NULL ? WORD(waits, link->waits) : "other");
  put_string(object, "what", link->what);
  put_number(object, "other", link->other, 0);
  put_string(object, "otherName", link->other_name);
  put_number(object, "thread", link->thread, 0);
  put_number(object, "fd", link->handle, -1);
  put_seconds(object, "since", link->since_ms, 0);
  put_seconds(object, "limit", link->limit_ms, -1);
  put_bool(object, "inCycle", link->in_cycle != 0);
}

static void make_explanation(zval *into, const safe_explanation *why) {
  static const char *const verdicts[] = {"free", "held", "cycle", "stuck", "unknown"};
  const char *verdict = WORD(verdicts, safe_explanation_verdict(why));
  zval holders, links, unknown, one;
  zend_object *object;
  size_t at;

  object_init_ex(into, explanation_class);
  object = Z_OBJ_P(into);
  put_string(object, "text", safe_explanation_text(why));
  put_string(object, "verdict", verdict != NULL ? verdict : "unknown");
  put_string(object, "file", safe_explanation_file(why));
  safehold_holders_to_array(safe_explanation_holders(why), &holders);
  put(object, "holders", &holders);
  array_init(&links);
  for (at = 0; at < safe_explanation_link_count(why); at++) {
    make_link(&one, safe_explanation_link(why, at));
    add_next_index_zval(&links, &one);
  }
  put(object, "links", &links);
  array_init(&unknown);
  for (at = 0; at < safe_explanation_unknown_count(why); at++)
    add_next_index_string(&unknown, safe_explanation_unknown(why, at));
  put(object, "unknown", &unknown);
}

ZEND_METHOD(Safehold_Explanation, __toString) {
  zval place;

  ZEND_PARSE_PARAMETERS_NONE();
  RETURN_COPY_DEREF(zend_read_property(explanation_class, Z_OBJ_P(ZEND_THIS), ZEND_STRL("text"), false, &place));
}

PHP_FUNCTION(Safehold_why) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_explanation *why = NULL;
  zend_string *name = NULL;
  zend_long pid = 0;
  double timeout = 1;
  char *path = NULL;
  int code;

  ZEND_PARSE_PARAMETERS_START(1, 2)
  Z_PARAM_STR_OR_LONG(name, pid)
  Z_PARAM_OPTIONAL
  Z_PARAM_DOUBLE(timeout)
  ZEND_PARSE_PARAMETERS_END();

  if (!safehold_query_ms(timeout, 2, &options.timeout_ms)) RETURN_THROWS();
  if (name != NULL && (path = safehold_path(name, 1)) == NULL) RETURN_THROWS();
  if (name == NULL && !may_look_at(pid)) RETURN_THROWS();
  options.path = path;
  options.pid = pid;
  code = safe_explain(&options, &why, &error);
  if (path != NULL) efree(path);
  if (code != SAFE_OK) {
    safehold_throw(&error, NULL);
    RETURN_THROWS();
  }
  make_explanation(return_value, why);
  safe_explanation_free(why);
}

/* ---- What a child would inherit. */

static void make_leak(zval *into, const safe_leak *leak) {
  static const char *const kinds[] = {"other",  "file",   "folder", "pipe",   "socket",
                                      "device", "memory", "event",  "process"};
  zend_object *object;

  object_init_ex(into, leak_class);
  object = Z_OBJ_P(into);
  put_number(object, "fd", leak->handle, -1);
  put_string(object, "kind", WORD(kinds, leak->kind) != NULL ? WORD(kinds, leak->kind) : "other");
  put_string(object, "what", leak->what);
  put_string(object, "lockMode", WORD(modes, leak->lock_mode));
  put_string(object, "lockMethod", WORD(methods, leak->lock_method));
}

static void make_leaks(zval *array, const safe_handle_list *list) {
  size_t at;

  array_init(array);
  for (at = 0; at < safe_handle_list_count(list); at++) {
    zval leak;

    make_leak(&leak, safe_handle_list_get(list, at));
    add_next_index_zval(array, &leak);
  }
}

PHP_FUNCTION(Safehold_leaks) {
  safe_audit_options options = SAFE_AUDIT_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_handle_list *list = NULL;
  zend_string *unknown = NULL;
  zend_long pid = 0;
  bool own = true;
  double timeout = 1;

  ZEND_PARSE_PARAMETERS_START(0, 2)
  Z_PARAM_OPTIONAL
  Z_PARAM_LONG_OR_NULL(pid, own)
  Z_PARAM_DOUBLE(timeout)
  ZEND_PARSE_PARAMETERS_END();

  if (!own && pid <= 0) {
    zend_argument_value_error(1, "must be greater than 0");
    RETURN_THROWS();
  }
  if (!safehold_query_ms(timeout, 2, &options.timeout_ms) || (!own && !may_look_at(pid))) RETURN_THROWS();
  options.pid = pid;
  if (safe_audit_handles(&options, &list, &error) != SAFE_OK) {
    safehold_throw(&error, NULL);
    RETURN_THROWS();
  }
  make_leaks(return_value, list);
  if (safe_handle_list_unknown(list) != NULL)
    unknown = zend_string_init(safe_handle_list_unknown(list), strlen(safe_handle_list_unknown(list)), 0);
  safe_handle_list_free(list);
  /* A handler of errors may throw, or end the script: after everything else. */
  if (unknown == NULL) return;
  php_error_docref(NULL, E_NOTICE, "%s", ZSTR_VAL(unknown));
  zend_string_release(unknown);
}
