/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "in_exec.h"
#include "kernel.h"
#include "os.h"
#include "proc_stat.h"

static void read_boot(char *text, size_t size) {
  FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

  strncpy(text, "-", size);
  if (file == NULL) return;
  if (fgets(text, (int)size, file) != NULL) text[strcspn(text, "\n")] = '\0';
  fclose(file);
}

void safe__os_identify(safe_owner *owner) {
  struct utsname names;
  struct timespec now;
  struct safe__proc_stat stat;

  owner->pid = safe__os_self();
  owner->thread = safe__raw6(SYS_gettid, 0, 0, 0, 0, 0, 0);
  if (safe__proc_stat(owner->pid, &stat)) owner->start = stat.start;
  read_boot(owner->boot, sizeof(owner->boot));
  if (uname(&names) == 0) strncpy(owner->host, names.nodename, sizeof(owner->host) - 1);
  clock_gettime(CLOCK_REALTIME, &now);
  owner->since_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool safe__os_is_alive(const safe_owner *owner) {
  struct safe__proc_stat stat;

  /* In the middle of exec nobody tells when it was started: taken to be the same one, as it is there. */
  return safe__calm_stat(owner->pid, &stat) && stat.state != 'Z' && (stat.start == 0 || stat.start == owner->start);
}
