/* SPDX-License-Identifier: MIT */
/* The command, environment and directory of proc_open(), as safe_spawn wants them. */
#ifndef SAFEHOLD_PHP_PROC_COMMAND_H
#define SAFEHOLD_PHP_PROC_COMMAND_H

#include "php_safehold.h"

struct safehold_proc_command {
  zend_string *text;   /* what proc_get_status tells: the command line, or the program's name */
  zend_string **owned; /* what argv and env point into */
  uint32_t owned_count;
  const char **argv, **env;
  char *file; /* the program's path, where that had to be put together */
};

/* `list` or, if that is NULL, `line`. false: an exception was thrown. Whatever happened, safehold_proc_command_free has
   to follow; before that the options are good. `env` and `cwd` may be NULL. */
bool safehold_proc_command_read(struct safehold_proc_command *command, HashTable *list, zend_string *line,
                                HashTable *env, safe_spawn_options *options);
/* The child's directory, from which a program with a relative path is meant. NULL: the script's own. */
void safehold_proc_command_set_directory(struct safehold_proc_command *command, const char *cwd,
                                         safe_spawn_options *options);
/* Starts it, with what the version of PHP does where the directory or the program's format is wrong. */
int safehold_proc_command_spawn(struct safehold_proc_command *command, safe_process **process,
                                safe_spawn_options *options, safe_error *error);
void safehold_proc_command_free(struct safehold_proc_command *command);

#endif
