/* SPDX-License-Identifier: MIT */
/*
 * What was seen of who waits for whom. The systems fill it in (safe__os_look_*, os.h), explain.c asks them for one
 * process and one file or pipe after the other, along the chain; explain_judge.c decides what follows from it.
 *
 *   actor    a process
 *   want     what one thread of it waits for. Several wants of one thread are alternatives, as those of poll(2): any of
 *            them lets it go on
 *   object   a file with locks, or a pipe: what wants are for, and who could give it
 */
#ifndef SAFEHOLD_SCENE_H
#define SAFEHOLD_SCENE_H

#include "internal.h"

struct safe__actor {
  int64_t pid;
  int64_t parent; /* or 0 */
  char name[64];
  char state;       /* as in safe_holder, or 0 */
  char channel[64]; /* where in the kernel it waits, or "" */
  bool hidden;      /* its threads, or its descriptors, may not be seen */
  bool gone;        /* there is no such process (any more) */
};

#define SAFE__ANY_CHILD (-1)

struct safe__want {
  int64_t pid, thread;
  int32_t waits;        /* SAFE_WAITS_* */
  int32_t object;       /* LOCK, INPUT, ROOM: which; else -1 */
  int32_t mode, method; /* LOCK: what is asked for, or -1 */
  int64_t other;        /* CHILD: its pid, or SAFE__ANY_CHILD; DEBUGGER, REAPING: who; OTHER: whose thread has to act,
                           which may be this process itself, where the system tells that (Windows); else 0 */
  int64_t handle;       /* or -1 */
  int64_t since_ms;     /* as in safe_link */
  int64_t limit_ms;
  char what[64]; /* KERNEL, OTHER: where it waits, in words: "futex", "a socket", "fuse_request_wait"; or "" */
  bool circle;   /* OTHER, CHILD: the system itself found that this wait leads into a circle: it never ends */
  bool alarmed;  /* the process handles a signal of its own timers, by which the wait may end: it may be bounded */
  bool handles;  /* it handles signals, which may write into a pipe of its own */
  bool within;   /* OTHER, of one thread: no signal and no time ends it, and nobody but the process's other threads */
  bool brief;    /* KERNEL: for too short a time yet to say that it does not end */
  int64_t stamp; /* the system's own, by which it knows again that the thread has not moved; -1: none */
};

enum safe__object_kind { SAFE__OBJECT_FILE, SAFE__OBJECT_PIPE };

/* Roles of a pipe's ends in its list of holders. */
enum { SAFE__END_READS = 16, SAFE__END_WRITES = 17 };

struct safe__object {
  enum safe__object_kind kind;
  struct safe__file_id id; /* the system's own; two objects with the same kind and id are one */
  char name[256];          /* the path, or "pipe:[1234]" */
  bool examined;
  safe_holder_list holders; /* FILE: who holds it and who waits. PIPE: its ends, by role and handle */
};

struct safe__look; /* what a system keeps from one question to the next: a table of descriptors */

#define SAFE__MOST_ACTORS 256
#define SAFE__MOST_REASONS 16

struct safe__scene {
  struct safe__actor *actors;
  struct safe__want *wants;
  struct safe__object *objects;
  size_t actor_count, want_count, object_count;
  size_t actor_room, want_room, object_room;
  char unknown[SAFE__MOST_REASONS][160];
  size_t unknown_count;
  bool no_memory;          /* something is missing for want of it */
  struct safe__look *look; /* NULL until a system needs it; given back by safe__os_look_end */
};

void safe__scene_init(struct safe__scene *scene);
void safe__scene_free(struct safe__scene *scene);

/* The one with this pid, made if it is not there yet; NULL without memory, or beyond SAFE__MOST_ACTORS, which is
   said among the unknown. Pointers are good until the next one is added. */
struct safe__actor *safe__scene_actor(struct safe__scene *scene, int64_t pid);
struct safe__actor *safe__scene_find_actor(const struct safe__scene *scene, int64_t pid); /* or NULL */
/* Index of the object, made if it is not there yet; -1 without memory. */
int32_t safe__scene_object(struct safe__scene *scene, enum safe__object_kind kind, const struct safe__file_id *id,
                           const char *name);
/* A want to be filled in: all zeroes but object, mode, method, handle, limit_ms and stamp, which are -1. NULL without
 * memory.
 */
struct safe__want *safe__scene_want(struct safe__scene *scene, int64_t pid, int64_t thread, int32_t waits);
/* Keeps a reason once. */
void safe__scene_unknown(struct safe__scene *scene, const char *format, ...) SAFE__PRINTF(2, 3);

#endif
