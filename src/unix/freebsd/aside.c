/* SPDX-License-Identifier: MIT */
#include "aside.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/procdesc.h>
#include <unistd.h>

#include "procdesc.h"

void *safe__aside_memory(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);

  return memory == MAP_FAILED ? NULL : memory;
}

void safe__aside_free(void *memory, size_t size) { munmap(memory, size); }

int safe__aside(void (*run)(void *shared), void *shared, int keep, int64_t deadline) {
  pid_t pid, host = getpid();
  int procdesc;

  pid = safe__procdesc_fork(&procdesc, PD_CLOEXEC);
  if (pid == 0) {
    safe__procdesc_begin(host, keep);
    run(shared);
    _exit(0);
  }
  if (pid < 0) return errno;
  if (safe__procdesc_ended(procdesc, deadline)) {
    safe__procdesc_close(procdesc, pid);
    return 0;
  }
  pdkill(procdesc, SIGKILL);
  safe__procdesc_park(procdesc, pid);
  return 0;
}
