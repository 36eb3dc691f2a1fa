/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <sys/mman.h>
#include <sys/sysctl.h>

#include <errno.h>

#define TRIES 4 /* it may grow between the two calls */

void safe__table_drop(struct safe__table *table) {
  if (table->memory != NULL) munmap(table->memory, table->room);
  table->memory = NULL;
}

int safe__table_fetch(struct safe__table *table, const int *name, unsigned length) {
  int tries;

  table->memory = NULL;
  for (tries = 0; tries < TRIES; tries++) {
    if (sysctl(name, length, NULL, &table->room, NULL, 0) != 0) return errno;
    table->room += table->room / 4 + 4096;
    table->memory = mmap(NULL, table->room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (table->memory == MAP_FAILED) {
      table->memory = NULL;
      return errno;
    }
    table->size = table->room;
    if (sysctl(name, length, table->memory, &table->size, NULL, 0) == 0) return 0;
    safe__table_drop(table);
    if (errno != ENOMEM) return errno;
  }
  return ENOMEM;
}

int safe__table_processes(struct safe__table *table) {
  static const int name[3] = {CTL_KERN, KERN_PROC, KERN_PROC_PROC};

  return safe__table_fetch(table, name, 3);
}

int safe__table_threads(struct safe__table *table, pid_t pid) {
  const int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID | KERN_PROC_INC_THREAD, pid};

  return safe__table_fetch(table, name, 4);
}

int safe__table_files(struct safe__table *table, pid_t pid) {
  const int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_FILEDESC, pid};

  return safe__table_fetch(table, name, 4);
}

const struct kinfo_proc *safe__table_next_process(const struct safe__table *table, size_t *at) {
  const struct kinfo_proc *process = (const struct kinfo_proc *)(const void *)(table->memory + *at);

  if (*at + sizeof(*process) > table->size) return NULL;
  *at += sizeof(*process);
  return process;
}

/* Each has its own length: its path is cut off behind its end. */
const struct kinfo_file *safe__table_next_file(const struct safe__table *table, size_t *at) {
  const struct kinfo_file *file = (const struct kinfo_file *)(const void *)(table->memory + *at);

  if (*at + sizeof(file->kf_structsize) > table->size || file->kf_structsize <= 0) return NULL;
  if (*at + (size_t)file->kf_structsize > table->size) return NULL;
  *at += (size_t)file->kf_structsize;
  return file;
}
