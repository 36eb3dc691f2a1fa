/* SPDX-License-Identifier: MIT */
#include "proc_command.h"

#include "child.h"

/* PHP before 8.3 forks and calls execvp(3); later ones call posix_spawnp(3). */
#define BY_FORK (PHP_VERSION_ID < 80300)

static const char *keep(struct safehold_proc_command *command, zend_string *string) {
  command->owned[command->owned_count++] = string;
  return ZSTR_VAL(string);
}

static zend_string *argument(zval *value, uint32_t number) {
  zend_string *string = zval_try_get_string(value);

  if (string == NULL) return NULL;
#if PHP_VERSION_ID >= 80400
  if (number == 1 && ZSTR_LEN(string) == 0) {
    zend_value_error("First element must contain a non-empty program name");
    zend_string_release(string);
    return NULL;
  }
#endif
  if (strlen(ZSTR_VAL(string)) == ZSTR_LEN(string)) return string;
  zend_value_error("Command array element %d contains a null byte", (int)number);
  zend_string_release(string);
  return NULL;
}

static bool read_list(struct safehold_proc_command *command, HashTable *list) {
  zend_string *string;
  uint32_t count = 0;
  zval *value;

  if (zend_hash_num_elements(list) == 0) {
    zend_argument_value_error(1, "must have at least one element");
    return false;
  }
  command->argv = ecalloc(zend_hash_num_elements(list) + 1, sizeof(*command->argv));
  ZEND_HASH_FOREACH_VAL(list, value) {
    string = argument(value, count + 1);
    if (string == NULL) return false;
    if (count == 0) command->text = zend_string_copy(string);
    command->argv[count++] = keep(command, string);
  }
  ZEND_HASH_FOREACH_END();
  return true;
}

/* As PHP does: what is empty is left out, and an element without a name is a whole "NAME=value". One that is not is
   left out too, which execve(2) would take. */
static void read_environment(struct safehold_proc_command *command, HashTable *env) {
  zend_string *name, *value;
  uint32_t count = 0;
  zval *element;

  command->env = ecalloc(zend_hash_num_elements(env) + 1, sizeof(*command->env));
  ZEND_HASH_FOREACH_STR_KEY_VAL(env, name, element) {
    value = zval_get_string(element);
    if (name != NULL && ZSTR_LEN(name) > 0 && ZSTR_LEN(value) > 0) {
      name = zend_string_concat3(ZSTR_VAL(name), ZSTR_LEN(name), "=", 1, ZSTR_VAL(value), ZSTR_LEN(value));
      zend_string_release(value);
      value = name;
    }
    keep(command, value);
    if (ZSTR_LEN(value) > 0 && strchr(ZSTR_VAL(value) + 1, '=') != NULL) command->env[count++] = ZSTR_VAL(value);
  }
  ZEND_HASH_FOREACH_END();
}

bool safehold_proc_command_read(struct safehold_proc_command *command, HashTable *list, zend_string *line,
                                HashTable *env, safe_spawn_options *options) {
  size_t room = 1; /* for the directory */

  if (list != NULL) room += zend_hash_num_elements(list);
  if (env != NULL) room += zend_hash_num_elements(env);
  command->owned = ecalloc(room, sizeof(*command->owned));
  if (list == NULL)
    command->text = zend_string_copy(line);
  else if (!read_list(command, list))
    return false;
  if (env != NULL) read_environment(command, env);
  options->argv = command->argv;
  /* The shell takes an empty command line, which safe_spawn calls a mistake. */
  if (list == NULL) options->shell = ZSTR_VAL(line)[0] != '\0' ? ZSTR_VAL(line) : " ";
  options->env = command->env;
  if (BY_FORK && env != NULL) options->flags |= SAFE_SPAWN_PATH_OF_CHILD;
  return EG(exception) == NULL;
}

void safehold_proc_command_set_directory(struct safehold_proc_command *command, const char *cwd,
                                         safe_spawn_options *options) {
  const char *program = command->argv != NULL ? command->argv[0] : "/";

  if (BY_FORK && cwd != NULL && cwd[0] == '\0') cwd = NULL;
  /* It is meant from the script's directory, which is not the process's in a thread-safe PHP. */
  if (cwd != NULL && cwd[0] != '/' && options->cwd != NULL)
    cwd = keep(command, strpprintf(0, "%s/%s", options->cwd, cwd));
  if (cwd != NULL) options->cwd = cwd;
  if (command->file != NULL) efree(command->file);
  command->file = NULL;
  if (options->cwd != NULL && program[0] != '/' && strchr(program, '/') != NULL)
    spprintf(&command->file, 0, "%s/%s", options->cwd, program);
  options->file = command->file;
}

/* execvp(3) hands a file without a #! line to the shell. */
static int spawn_by_shell(struct safehold_proc_command *command, safe_process **process, safe_spawn_options *options,
                          safe_error *error) {
  size_t count = 0;
  const char **argv;
  int code;

  while (command->argv[count] != NULL) count++;
  argv = ecalloc(count + 2, sizeof(*argv));
  argv[0] = "/bin/sh";
  argv[1] = command->file != NULL ? command->file : command->argv[0];
  memcpy(argv + 2, command->argv + 1, count * sizeof(*argv));
  options->argv = argv;
  options->file = NULL;
  code = safehold_child_spawn(process, options, error);
  efree(argv);
  return code;
}

int safehold_proc_command_spawn(struct safehold_proc_command *command, safe_process **process,
                                safe_spawn_options *options, safe_error *error) {
  safe_spawn_options usual;
  int code = safehold_child_spawn(process, options, error);

  if (BY_FORK && code != SAFE_OK && error->stage == SAFE_STAGE_CWD) {
    /* These versions pass over a directory that cannot be entered. */
    safehold_child_options(&usual);
    options->cwd = usual.cwd;
    safehold_proc_command_set_directory(command, NULL, options);
    code = safehold_child_spawn(process, options, error);
  }
  if (BY_FORK && code == SAFE_ENOEXEC && command->argv != NULL && strchr(command->argv[0], '/') != NULL)
    code = spawn_by_shell(command, process, options, error);
  return code;
}

void safehold_proc_command_free(struct safehold_proc_command *command) {
  uint32_t at;

  for (at = 0; at < command->owned_count; at++) zend_string_release(command->owned[at]);
  if (command->text != NULL) zend_string_release(command->text);
  if (command->owned != NULL) efree(command->owned);
  if (command->argv != NULL) efree(command->argv);
  if (command->env != NULL) efree(command->env);
  if (command->file != NULL) efree(command->file);
}
