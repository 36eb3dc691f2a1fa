/* SPDX-License-Identifier: MIT */
/*
 * PHP loads its modules with RTLD_DEEPBIND: in them, `environ` is the C library's own variable. Where the program has a
 * copy of it (R_*_COPY, as compilers without -fPIC make one), that is the one that putenv(3) and getenv(3) use, and the
 * other stays empty.
 */
#include "environment.h"

#ifdef PHP_WIN32

void safehold_environment_startup(void) {}

const char **safehold_environment_copy(void) { return NULL; }

#else

#include <dlfcn.h>

static const char ***variable;

/* RTLD_DEFAULT would find what the module itself is bound to. */
void safehold_environment_startup(void) {
  void *program = dlopen(NULL, RTLD_NOW);

  if (program == NULL) return;
  variable = dlsym(program, "environ");
  dlclose(program);
}

/* The core refuses what is no "NAME=value", which execve(2) would have taken. */
static bool is_whole(const char *string) { return string[0] != '\0' && strchr(string + 1, '=') != NULL; }

static const char **copy(const char *const *strings) {
  size_t count = 0, bytes = 0, at;
  const char **list;
  char *end;

  for (at = 0; strings[at] != NULL; at++) bytes += strlen(strings[at]) + 1;
  list = pemalloc((at + 1) * sizeof(*list) + bytes, true);
  end = (char *)(list + at + 1);
  for (at = 0; strings[at] != NULL; at++) {
    if (!is_whole(strings[at])) continue;
    list[count++] = end;
    end = stpcpy(end, strings[at]) + 1;
  }
  list[count] = NULL;
  return list;
}

/* Another thread's putenv() frees strings. */
const char **safehold_environment_copy(void) {
  static const char *const empty[] = {NULL};
  const char **list;

  if (variable == NULL) return NULL;
  tsrm_env_lock();
  list = copy(*variable != NULL ? (const char *const *)*variable : empty);
  tsrm_env_unlock();
  return list;
}

#endif
