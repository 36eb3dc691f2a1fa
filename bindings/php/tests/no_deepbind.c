/* SPDX-License-Identifier: MIT */
/* PHP loads its modules with RTLD_DEEPBIND, which the address sanitizer refuses, as malloc would not be its own then:
   https://github.com/google/sanitizers/issues/611. Preloaded, this leaves the flag out. */
#include <dlfcn.h>

void *dlopen(const char *name, int flags) {
  void *(*next)(const char *, int);

  *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
  return next(name, flags & ~RTLD_DEEPBIND);
}
