/* SPDX-License-Identifier: MIT */
#include "descriptors.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child_calls.h"
#include "in_exec.h"

#define TEXT_BYTES 16384 /* some 250 locks on one open file description */
#define MANY 128         /* processes for which a second thread pays */
#define MOST_LIKELY 512

/* What the threads of a walk share. */
struct crowd {
  struct safe__descriptor_walk *walk;
  int proc;
  int64_t *pids;
  size_t count, room;
  size_t next;   /* to be looked at; taken by one thread after the other */
  size_t likely; /* so many at the beginning may occur among the rest once more */
};

/* What each of them has for itself. */
struct looker {
  struct crowd *crowd;
  char text[TEXT_BYTES];
  char entries[8192] __attribute__((aligned(8)));
};

void safe__descriptors_enter(struct safe__descriptor_walk *walk) { pthread_mutex_lock(&walk->turn); }
void safe__descriptors_leave(struct safe__descriptor_walk *walk) { pthread_mutex_unlock(&walk->turn); }

/* ---- Reading, with as few and as cheap calls as can be: there are tens of thousands to be made. Each answers a
   negative errno. */

static int open_at(int folder, const char *name, int flags) {
  return (int)safe__raw6(SYS_openat, folder, (long)name, flags | O_CLOEXEC, 0, 0, 0);
}

static long read_at(int folder, const char *name, char *text, size_t size) {
  int fd = open_at(folder, name, O_RDONLY);
  long length;

  if (fd < 0) return fd;
  length = safe__raw6(SYS_read, fd, (long)text, (long)size - 1, 0, 0, 0);
  child_close_one(fd);
  text[length < 0 ? 0 : length] = '\0';
  return length;
}

static long link_at(int folder, const char *name, char *text, size_t size) {
  long length = safe__raw6(SYS_readlinkat, folder, (long)name, (long)text, (long)size - 1, 0, 0);

  text[length < 0 ? 0 : length] = '\0';
  return length;
}

bool safe__descriptor_link(const struct safe__descriptor *descriptor, char *text, size_t size) {
  char name[32];

  snprintf(name, sizeof(name), "fd/%d", descriptor->number);
  return link_at(descriptor->process, name, text, size) >= 0;
}

bool safe__descriptor_info(const struct safe__descriptor *descriptor, char *text, size_t size) {
  char name[32];

  snprintf(name, sizeof(name), "fdinfo/%d", descriptor->number);
  return read_at(descriptor->process, name, text, size) >= 0;
}

/* ---- Whom to look at, and in which order. */

static bool add(struct crowd *crowd, int64_t pid) {
  size_t room = crowd->room == 0 ? 512 : crowd->room * 2;
  int64_t *grown;

  if (crowd->count == crowd->room) {
    grown = safe__realloc(crowd->pids, room * sizeof(*grown));
    if (grown == NULL) {
      crowd->walk->no_memory = true;
      return false;
    }
    crowd->pids = grown;
    crowd->room = room;
  }
  crowd->pids[crowd->count++] = pid;
  return true;
}

static bool is_likely(const struct crowd *crowd, int64_t pid) {
  size_t at;

  for (at = 0; at < crowd->likely; at++)
    if (crowd->pids[at] == pid) return true;
  return false;
}

static void add_likely(struct crowd *crowd, int64_t pid) {
  if (pid <= 0 || crowd->likely == MOST_LIKELY || is_likely(crowd, pid)) return;
  if (add(crowd, pid)) crowd->likely++;
}

/* The children that a thread has made, where the kernel lists them (CONFIG_PROC_CHILDREN): who inherited something
   inherited it from a parent. */
static void add_children(struct crowd *crowd, int64_t pid, int64_t thread) {
  char name[64], text[1024], *at = text;

  snprintf(name, sizeof(name), "%lld/task/%lld/children", (long long)pid, (long long)thread);
  if (read_at(crowd->proc, name, text, sizeof(text)) <= 0) return;
  while (*at != '\0') {
    size_t digits = strspn(at, "0123456789");
    if (at[digits] == '\0') break; /* cut off, or nothing */
    add_likely(crowd, child_number(at));
    at += digits + 1;
  }
}

static void add_first(struct crowd *crowd) {
  const struct safe__descriptor_walk *walk = crowd->walk;
  int64_t self = safe__os_self();
  size_t at;

  for (at = 0; at < walk->first_count; at++) add_likely(crowd, walk->first[at]);
  if (walk->only_first) return;
  for (at = 0; at < walk->first_count; at++) add_children(crowd, walk->first[at], walk->first[at]);
  add_likely(crowd, self);
  add_likely(crowd, getppid());
  add_children(crowd, self, self);
  add_children(crowd, self, safe__raw6(SYS_gettid, 0, 0, 0, 0, 0, 0));
}

static void add_listed(struct crowd *crowd, const char *entries, long length) {
  const struct child_directory_entry *entry;
  long at, pid;

  for (at = 0; at < length; at += entry->length) {
    entry = (const struct child_directory_entry *)(entries + at);
    pid = child_number(entry->name);
    if (pid > 0 && !add(crowd, pid)) return;
  }
}

/* The newest first: who holds a lock that somebody wants now was seldom started with the machine. Numbers begin anew
   at some time, and the order is then another one; it is only the better guess. */
static void add_rest(struct crowd *crowd, struct looker *looker) {
  size_t low = crowd->likely, high;
  long length;

  lseek(crowd->proc, 0, SEEK_SET);
  while ((length = safe__raw6(SYS_getdents64, crowd->proc, (long)looker->entries, sizeof(looker->entries), 0, 0, 0)) >
         0)
    add_listed(crowd, looker->entries, length);
  for (high = crowd->count; low + 1 < high; low++) {
    int64_t swap = crowd->pids[low];
    crowd->pids[low] = crowd->pids[--high];
    crowd->pids[high] = swap;
  }
}

/* ---- Looking. */

static bool is_late(struct safe__descriptor_walk *walk) {
  if (__atomic_load_n(&walk->late, __ATOMIC_RELAXED)) return true;
  if (safe__os_now() < walk->deadline) return false;
  __atomic_store_n(&walk->late, true, __ATOMIC_RELAXED);
  return true;
}

/* Kernel threads and the dead have no descriptors that could be missed; they have no memory either. */
static bool has_memory(int process) {
  char text[32];

  return read_at(process, "statm", text, sizeof(text)) <= 0 || strncmp(text, "0 ", 2) != 0;
}

static bool is_refused(long result) { return result == -EACCES || result == -EPERM; }

/* What else may stand in the way, but that the process, or its descriptor, has gone. */
static void note_lack(struct crowd *crowd, long result) {
  if (result == -EMFILE || result == -ENFILE || result == -ENOMEM)
    __atomic_store_n(&crowd->walk->no_memory, true, __ATOMIC_RELAXED);
}

/* False: none of this process can be read. */
static bool visit_one(struct looker *looker, int folder, struct safe__descriptor *descriptor) {
  struct safe__descriptor_walk *walk = looker->crowd->walk;
  long length = walk->wanted == SAFE__DESCRIPTOR_LINK
                  ? link_at(folder, descriptor->digits, looker->text, sizeof(looker->text))
                  : read_at(folder, descriptor->digits, looker->text, sizeof(looker->text));

  /* The folder may be listed also by some who may not read what is in it. */
  note_lack(looker->crowd, length);
  if (length < 0) return !is_refused(length);
  descriptor->text = looker->text;
  walk->visit(walk, descriptor);
  return true;
}

/* In the folder whose files are then read: to list them makes the kernel know them. *any: there was one at all. */
static bool visit_listed(struct looker *looker, int folder, struct safe__descriptor *descriptor, bool *any) {
  struct safe__descriptor_walk *walk = looker->crowd->walk;
  const struct child_directory_entry *entry;
  long at, length;

  while ((length = safe__raw6(SYS_getdents64, folder, (long)looker->entries, sizeof(looker->entries), 0, 0, 0)) > 0)
    for (at = 0; at < length; at += entry->length) {
      entry = (const struct child_directory_entry *)(looker->entries + at);
      descriptor->number = (int)child_number(entry->name);
      descriptor->digits = entry->name;
      if (descriptor->number < 0) continue;
      *any = true;
      if (is_late(walk)) return true;
      if (walk->skips != NULL && walk->skips(walk, descriptor)) continue;
      if (!visit_one(looker, folder, descriptor)) return false;
    }
  return true;
}

/* False: they cannot be read. */
static bool visit_all(struct looker *looker, struct safe__descriptor *descriptor, bool *any) {
  bool links = looker->crowd->walk->wanted == SAFE__DESCRIPTOR_LINK, readable;
  int folder;

  if (links && safe__is_in_exec(descriptor->pid)) return false;
  folder = open_at(descriptor->process, links ? "fd" : "fdinfo", O_RDONLY | O_DIRECTORY);
  note_lack(looker->crowd, folder);
  if (folder < 0) return !is_refused(folder);
  readable = visit_listed(looker, folder, descriptor, any);
  child_close_one(folder);
  return readable;
}

/* A process whose first thread has ended is listed without descriptors, though its other threads have them: the folder
   of one of these, or -1. */
static int open_other_thread(struct looker *looker, const struct safe__descriptor *descriptor) {
  int folder = open_at(descriptor->process, "task", O_RDONLY | O_DIRECTORY), found = -1;
  const struct child_directory_entry *entry;
  long at, length;

  if (folder < 0) return -1;
  length = safe__raw6(SYS_getdents64, folder, (long)looker->entries, sizeof(looker->entries), 0, 0, 0);
  for (at = 0; at < length && found < 0; at += entry->length) {
    entry = (const struct child_directory_entry *)(looker->entries + at);
    if (child_number(entry->name) > 0 && child_number(entry->name) != descriptor->pid)
      found = open_at(folder, entry->name, O_PATH | O_DIRECTORY);
  }
  child_close_one(folder);
  return found;
}

static void look_at(struct looker *looker, int64_t pid) {
  struct crowd *crowd = looker->crowd;
  struct safe__descriptor descriptor = {.pid = pid};
  bool any = false, readable;
  int process, thread;
  char name[24];

  snprintf(name, sizeof(name), "%lld", (long long)pid);
  descriptor.process = process = open_at(crowd->proc, name, O_PATH | O_DIRECTORY);
  note_lack(crowd, process);
  if (process < 0) return; /* gone */
  readable = visit_all(looker, &descriptor, &any);
  thread = readable && !any ? open_other_thread(looker, &descriptor) : -1;
  if (thread >= 0) {
    descriptor.process = thread;
    readable = visit_all(looker, &descriptor, &any);
    child_close_one(thread);
  }
  if (!readable && has_memory(process)) __atomic_add_fetch(&crowd->walk->unreadable, 1, __ATOMIC_RELAXED);
  child_close_one(process);
}

static void *look(void *argument) {
  struct looker *looker = argument;
  struct crowd *crowd = looker->crowd;
  size_t at;

  while (!is_late(crowd->walk)) {
    at = __atomic_fetch_add(&crowd->next, 1, __ATOMIC_RELAXED);
    if (at >= crowd->count) break;
    if (at < crowd->likely || !is_likely(crowd, crowd->pids[at])) look_at(looker, crowd->pids[at]);
  }
  return NULL;
}

/* ---- Two at it. */

static bool has_two_processors(void) {
  cpu_set_t set;

  return sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) > 1; /* fails on more than fit into the set */
}

/* With every signal blocked, so that none of the host's handlers runs in it. By libc's call, and not
   safe__block_signals: of the two that libc keeps for itself one asks all threads to change their user (setuid(2)), and
   is waited for. */
static bool start(pthread_t *thread, struct looker *looker) {
  pthread_attr_t attributes;
  sigset_t all, before;
  int code;

  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, 256 * 1024); /* a host may have much thread-local storage, which counts */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  code = pthread_create(thread, &attributes, look, looker);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return code == 0;
}

static void look_together(struct looker *looker) {
  bool many = looker->crowd->count > MANY && has_two_processors();
  struct looker *second = many ? safe__alloc(sizeof(*second)) : NULL;
  pthread_t thread;
  bool started;

  if (second != NULL) second->crowd = looker->crowd;
  started = second != NULL && start(&thread, second);
  look(looker);
  if (started) pthread_join(thread, NULL);
  safe__free(second);
}

void safe__descriptors_walk(struct safe__descriptor_walk *walk) {
  struct crowd crowd = {.walk = walk};
  struct looker *looker = safe__alloc(sizeof(*looker));

  walk->no_memory = looker == NULL;
  if (looker == NULL) return;
  looker->crowd = &crowd;
  crowd.proc = open_at(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY);
  walk->no_proc = crowd.proc < 0;
  if (crowd.proc >= 0) {
    pthread_mutex_init(&walk->turn, NULL);
    add_first(&crowd);
    if (!walk->only_first) add_rest(&crowd, looker);
    look_together(looker);
    pthread_mutex_destroy(&walk->turn);
    child_close_one(crowd.proc);
  }
  safe__free(crowd.pids);
  safe__free(looker);
}
