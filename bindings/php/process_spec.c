/* SPDX-License-Identifier: MIT */
#include "process_spec.h"

#include "process_stdio.h"

#include "child.h"

/* The places of the arguments, for the messages of exceptions. */
enum {
  ARG_COMMAND = 1,
  ARG_CWD = 2,
  ARG_ENV = 3,
  ARG_ENV_CHANGES = 4,
  ARG_SPAWN_TIMEOUT = 9,
  ARG_LIMITS = 10,
  ARG_TREE = 11,
  ARG_UID = 12,
  ARG_GID = 13,
  ARG_GROUPS = 14,
  ARG_UMASK = 15,
  ARG_NICE = 16,
  ARG_COLUMNS = 19,
  ARG_ROWS = 20
};

struct arguments {
  HashTable *command_list;
  zend_string *command_line;
  char *cwd;
  size_t cwd_length;
  HashTable *env, *env_changes;
  zval *stdio[3];
  HashTable *descriptors;
  double spawn_timeout;
  bool spawn_timeout_null;
  HashTable *limits;
  zend_long tree;
  zend_long uid, gid;
  bool uid_null, gid_null;
  HashTable *groups;
  zend_long umask;
  bool umask_null;
  zend_long nice;
  bool new_session, die_with_parent;
  zend_long columns, rows;
};

/* ---- Strings and lists of strings. */

const char *safehold_process_keep(struct safehold_process_spec *spec, zend_string *string) {
  add_next_index_str(&spec->owned, string);
  return ZSTR_VAL(string);
}

static zend_string *to_string(zval *value, uint32_t arg) {
  zend_string *string = zval_try_get_string(value);

  if (string == NULL) return NULL;
  if (strlen(ZSTR_VAL(string)) == ZSTR_LEN(string)) return string;
  zend_argument_value_error(arg, "must not contain any null bytes");
  zend_string_release(string);
  return NULL;
}

static bool read_command(struct safehold_process_spec *spec, const struct arguments *args) {
  zend_string *string;
  size_t count = 0;
  zval *value, line;

  if (args->command_list == NULL) {
    ZVAL_STR(&line, args->command_line);
    string = to_string(&line, ARG_COMMAND);
    if (string == NULL) return false;
    if (ZSTR_LEN(string) == 0) zend_argument_value_error(ARG_COMMAND, "must not be empty");
    spec->options.shell = safehold_process_keep(spec, string);
    return EG(exception) == NULL;
  }
  spec->argv = ecalloc(zend_hash_num_elements(args->command_list) + 1, sizeof(*spec->argv));
  ZEND_HASH_FOREACH_VAL(args->command_list, value) {
    string = to_string(value, ARG_COMMAND);
    if (string == NULL) return false;
    spec->argv[count++] = safehold_process_keep(spec, string);
  }
  ZEND_HASH_FOREACH_END();
  if (count == 0) zend_argument_value_error(ARG_COMMAND, "must have at least one element");
  spec->options.argv = spec->argv;
  return count > 0;
}

/* Name => value. In a list of changes null takes the name away. */
static const char **read_names(struct safehold_process_spec *spec, HashTable *table, uint32_t arg) {
  const char **list = ecalloc(zend_hash_num_elements(table) + 1, sizeof(*list));
  zend_string *name, *value, *whole;
  size_t count = 0;
  zval *element;

  ZEND_HASH_FOREACH_STR_KEY_VAL(table, name, element) {
    ZVAL_DEREF(element);
    if (name == NULL || ZSTR_LEN(name) == 0 || strpbrk(ZSTR_VAL(name), "=") != NULL ||
        strlen(ZSTR_VAL(name)) != ZSTR_LEN(name)) {
      zend_argument_value_error(arg, "must have the names of environment variables for keys");
      break;
    }
    if (Z_TYPE_P(element) == IS_NULL && arg == ARG_ENV_CHANGES) {
      list[count++] = safehold_process_keep(spec, zend_string_copy(name));
      continue;
    }
    value = to_string(element, arg);
    if (value == NULL) break;
    whole = zend_string_concat3(ZSTR_VAL(name), ZSTR_LEN(name), "=", 1, ZSTR_VAL(value), ZSTR_LEN(value));
    zend_string_release(value);
    list[count++] = safehold_process_keep(spec, whole);
  }
  ZEND_HASH_FOREACH_END();
  return list;
}

static bool read_environment(struct safehold_process_spec *spec, const struct arguments *args) {
  if (args->env != NULL) spec->options.env = spec->env = read_names(spec, args->env, ARG_ENV);
  if (EG(exception) != NULL) return false;
  if (zend_hash_num_elements(args->env_changes) > 0)
    spec->options.env_changes = spec->env_changes = read_names(spec, args->env_changes, ARG_ENV_CHANGES);
  return EG(exception) == NULL;
}

/* ---- What the child may use, and who it is. */

/* Whole, so that no two keys are the same limit. */
static bool is_word(const zend_string *string, const char *word) {
  return ZSTR_LEN(string) == strlen(word) && memcmp(ZSTR_VAL(string), word, ZSTR_LEN(string)) == 0;
}

static bool read_limits(struct safehold_process_spec *spec, HashTable *table) {
  static const char *const names[SAFEHOLD_LIMITS] = {"memory", "cpu", "files", "processes", "core", "fileSize"};
  zend_string *name;
  size_t count = 0;
  zval *value;
  int kind;

  ZEND_HASH_FOREACH_STR_KEY_VAL(table, name, value) {
    ZVAL_DEREF(value);
    kind = name == NULL ? SAFEHOLD_LIMITS : 0;
    while (kind < SAFEHOLD_LIMITS && !is_word(name, names[kind])) kind++;
    if (kind == SAFEHOLD_LIMITS) {
      zend_argument_value_error(ARG_LIMITS, "may have the keys memory, cpu, files, processes, core and fileSize");
      return false;
    }
    if (Z_TYPE_P(value) != IS_NULL && (Z_TYPE_P(value) != IS_LONG || Z_LVAL_P(value) < 0)) {
      zend_argument_value_error(ARG_LIMITS, "must have a number that is not negative, or null for no limit, as \"%s\"",
                                names[kind]);
      return false;
    }
    spec->limits[count].kind = kind;
    spec->limits[count++].value = Z_TYPE_P(value) == IS_NULL ? SAFE_UNLIMITED : Z_LVAL_P(value);
  }
  ZEND_HASH_FOREACH_END();
  spec->options.limits = spec->limits;
  spec->options.limit_count = count;
  return true;
}

static bool read_groups(struct safehold_process_spec *spec, HashTable *table) {
  size_t count = 0;
  zval *value;

  if (table == NULL) return true;
  spec->groups = ecalloc(zend_hash_num_elements(table) + 1, sizeof(*spec->groups));
  ZEND_HASH_FOREACH_VAL(table, value) {
    ZVAL_DEREF(value);
    if (Z_TYPE_P(value) != IS_LONG || Z_LVAL_P(value) < 0 || Z_LVAL_P(value) >= UINT32_MAX) {
      zend_argument_value_error(ARG_GROUPS, "must be a list of group numbers");
      return false;
    }
    spec->groups[count++] = (uint32_t)Z_LVAL_P(value);
  }
  ZEND_HASH_FOREACH_END();
  spec->options.groups = spec->groups;
  spec->options.group_count = count;
  return true;
}

/* From the script's own folder, which is not the process's in a thread-safe PHP. */
static bool read_cwd(struct safehold_process_spec *spec, const char *cwd) {
  char *whole;

  if (cwd == NULL) return true;
  whole = expand_filepath(cwd, NULL);
  if (whole == NULL) {
    zend_argument_value_error(ARG_CWD, "must be the path of a folder");
    return false;
  }
  spec->options.cwd = safehold_process_keep(spec, zend_string_init(whole, strlen(whole), false));
  efree(whole);
  return true;
}

#if defined(VIRTUAL_DIR) && !defined(PHP_WIN32)
/* The same of a program that is not looked for: the core means it from the process's folder. */
static void name_program(struct safehold_process_spec *spec) {
  const char *name = spec->argv != NULL ? spec->argv[0] : "/";

  if (name[0] == '/' || strchr(name, '/') == NULL) return;
  spec->options.file = safehold_process_keep(spec, strpprintf(0, "%s/%s", SAFEHOLD_G(folder), name));
}
#else
static void name_program(struct safehold_process_spec *spec) { (void)spec; }
#endif

static bool in_range(zend_long value, zend_long low, zend_long high, uint32_t arg) {
  if (value >= low && value <= high) return true;
  zend_argument_value_error(arg, "must be between " ZEND_LONG_FMT " and " ZEND_LONG_FMT, low, high);
  return false;
}

static bool read_numbers(safe_spawn_options *options, const struct arguments *args) {
  const zend_long most = UINT32_MAX - 1;

  if (!args->spawn_timeout_null) {
    if (!(args->spawn_timeout >= 0 && args->spawn_timeout < 1e9)) {
      zend_argument_value_error(ARG_SPAWN_TIMEOUT, "must be a number of seconds that is not negative");
      return false;
    }
    options->timeout_ms = (int64_t)(args->spawn_timeout * 1000);
  }
  if (!in_range(args->nice, -40, 40, ARG_NICE) || !in_range(args->columns, 1, 65535, ARG_COLUMNS) ||
      !in_range(args->rows, 1, 65535, ARG_ROWS) || !in_range(args->tree, 0, INT32_MAX, ARG_TREE) ||
      (!args->uid_null && !in_range(args->uid, 0, most, ARG_UID)) ||
      (!args->gid_null && !in_range(args->gid, 0, most, ARG_GID)) ||
      (!args->umask_null && !in_range(args->umask, 0, 0777, ARG_UMASK)))
    return false;
  options->nice = (int32_t)args->nice;
  options->pty_columns = (int32_t)args->columns;
  options->pty_rows = (int32_t)args->rows;
  options->tree = (int32_t)args->tree;
  if (!args->uid_null) options->uid = args->uid;
  if (!args->gid_null) options->gid = args->gid;
  if (!args->umask_null) options->umask = (int32_t)args->umask;
  if (args->die_with_parent) options->flags |= SAFE_SPAWN_DIE_WITH_HOST;
  return true;
}

/* ---- All of it. */

static bool parse(struct arguments *args, INTERNAL_FUNCTION_PARAMETERS) {
  (void)return_value;
  ZEND_PARSE_PARAMETERS_START(1, 20)
  Z_PARAM_ARRAY_HT_OR_STR(args->command_list, args->command_line)
  Z_PARAM_OPTIONAL
  Z_PARAM_PATH_OR_NULL(args->cwd, args->cwd_length)
  Z_PARAM_ARRAY_HT_OR_NULL(args->env)
  Z_PARAM_ARRAY_HT(args->env_changes)
  Z_PARAM_ZVAL(args->stdio[0])
  Z_PARAM_ZVAL(args->stdio[1])
  Z_PARAM_ZVAL(args->stdio[2])
  Z_PARAM_ARRAY_HT(args->descriptors)
  Z_PARAM_DOUBLE_OR_NULL(args->spawn_timeout, args->spawn_timeout_null)
  Z_PARAM_ARRAY_HT(args->limits)
  Z_PARAM_LONG(args->tree)
  Z_PARAM_LONG_OR_NULL(args->uid, args->uid_null)
  Z_PARAM_LONG_OR_NULL(args->gid, args->gid_null)
  Z_PARAM_ARRAY_HT_OR_NULL(args->groups)
  Z_PARAM_LONG_OR_NULL(args->umask, args->umask_null)
  Z_PARAM_LONG(args->nice)
  Z_PARAM_BOOL(args->new_session)
  Z_PARAM_BOOL(args->die_with_parent)
  Z_PARAM_LONG(args->columns)
  Z_PARAM_LONG(args->rows)
  ZEND_PARSE_PARAMETERS_END_EX(return false);
  return true;
}

/* A child that shares the terminal also shares its group, or it would be stopped when it reads. Signals begin with
   their defaults, also those that this PHP ignores: a pipeline needs SIGPIPE. */
static void choose_group(safe_spawn_options *options, bool new_session) {
  options->flags &= ~(uint32_t)SAFE_SPAWN_KEEP_IGNORED;
  if (options->in.kind != SAFE_STDIO_INHERIT) options->group = SAFE_GROUP_NEW;
  if (new_session) options->group = SAFE_GROUP_SESSION;
}

bool safehold_process_spec_read(struct safehold_process_spec *spec, INTERNAL_FUNCTION_PARAMETERS) {
  HashTable *none = (HashTable *)&zend_empty_array;
  struct arguments args = {.env_changes = none,
                           .descriptors = none,
                           .spawn_timeout_null = true,
                           .limits = none,
                           .uid_null = true,
                           .gid_null = true,
                           .umask_null = true,
                           .columns = 80,
                           .rows = 24};

  memset(spec, 0, sizeof(*spec));
  ZVAL_UNDEF(&spec->owned);
  if (!parse(&args, INTERNAL_FUNCTION_PARAM_PASSTHRU)) return false;
  array_init(&spec->owned);
  safehold_child_options(&spec->options);
  /* What turns objects into strings, and so may run the script's code, comes before any descriptor is looked up. */
  if (!read_command(spec, &args) || !read_cwd(spec, args.cwd) || !read_environment(spec, &args) ||
      !read_limits(spec, args.limits) || !read_groups(spec, args.groups) || !read_numbers(&spec->options, &args) ||
      !safehold_process_stdio(spec, args.stdio[0], 0, &spec->options.in) ||
      !safehold_process_stdio(spec, args.stdio[1], 1, &spec->options.out) ||
      !safehold_process_stdio(spec, args.stdio[2], 2, &spec->options.err) ||
      !safehold_process_descriptors(spec, args.descriptors))
    return false;
  name_program(spec);
  choose_group(&spec->options, args.new_session);
  return true;
}

void safehold_process_spec_free(struct safehold_process_spec *spec) {
  zval_ptr_dtor(&spec->owned);
  if (spec->argv != NULL) efree(spec->argv);
  if (spec->env != NULL) efree(spec->env);
  if (spec->env_changes != NULL) efree(spec->env_changes);
  if (spec->handles != NULL) efree(spec->handles);
  if (spec->groups != NULL) efree(spec->groups);
}
