/* SPDX-License-Identifier: MIT */
/*
 * Who waits for whom, from /proc: the parts of it. Nothing that is read there by ourselves can block. What might, since
 * it takes a lock that a process may hold while its file system does not answer, is read by a helper (look_peek.h).
 */
#ifndef SAFEHOLD_LOOK_H
#define SAFEHOLD_LOOK_H

#include "look_peek.h"
#include "os.h"
#include "proc_stat.h"

/* One that was seen in uninterruptible sleep (look_stuck.c). */
struct safe__sighting {
  int64_t pid, thread, at;
  int64_t switches; /* how often it had gone to sleep */
  char channel[64];
};

/* A descriptor that is an end of a pipe (look_pipe.c). */
struct safe__pipe_end {
  uint64_t inode;
  int64_t pid;
  int number;
};

struct safe__look {
  struct safe__sighting *sightings;
  size_t sighting_count, sighting_room;
  struct safe__pipe_end *ends;
  size_t end_count, end_room;
  bool walked;                                              /* all of them were seen */
  enum { SAFE__UNTRIED, SAFE__KNOWN, SAFE__FOREIGN } calls; /* safe__look_knows_calls */
  bool swept; /* all processes were looked at for the sleep that cannot be interrupted */
};

/* The scene's, made if it is not there yet; NULL without memory, which the scene then says. */
struct safe__look *safe__look_of(struct safe__scene *scene);

/* What is looked at: a thread, or the helper that waits in its stead. */
struct safe__looker {
  struct safe__scene *scene;
  struct safe__peek *peek;
  int64_t deadline;
  int64_t pid, thread; /* whose wants they are */
  int64_t from, task;  /* whose call and descriptors are looked at: the same, but for a helper */
  char channel[64];
  int64_t since_ms;
  int64_t stamp;   /* how often the thread had gone to sleep, or been sent to */
  uint64_t caught; /* signals that it handles, as in SigCgt of proc(5) */
  bool timers;     /* it has timers of timer_create(2), whose signal it handles */
  int64_t call;    /* its number; -1: none */
  uint64_t arguments[6];
};

/* Name, parent, state and wait channel of the process whose pid the actor has: what never needs a right, nor blocks.
   False: it is gone. */
bool safe__look_actor(struct safe__actor *actor);

/* Waits until it is out of exec, which takes some µs, but as long as its files take to be closed: false if it is still
   in it after 50 ms, or at the deadline, as then most of it cannot be read (in_exec.h). */
bool safe__look_past_exec(int64_t pid, int64_t deadline);

/* Where in the kernel a thread waits, or "" where it does not, or this user may not know. */
void safe__look_channel(int64_t pid, int64_t thread, char *channel, size_t size);

/* When a thread fell asleep: milliseconds since 1970, or 0 where the kernel does not tell (CONFIG_SCHED_DEBUG before
   Linux 6.15), as for one that runs. Of a zombie: when it ended. */
int64_t safe__asleep_since(int64_t pid, int64_t thread);

/* Children that a thread has made, the oldest first; those of all threads where the kernel does not list them. How many
   there are; at most room of them are stored. */
size_t safe__look_children_of(int64_t pid, int64_t thread, int64_t *children, size_t room);

/* How often a thread has left the processor, be it to sleep or to let others run; -1: that cannot be read. */
int64_t safe__look_switches(int64_t pid, int64_t thread);

/* Which signals the process handles, for all of its threads; and what that says of a want. */
void safe__look_signals(struct safe__looker *looker);
void safe__look_mark(const struct safe__looker *looker, struct safe__want *want);

/* Whether a handler of signals, of timers or such as others may send, may wake one of its threads. */
bool safe__look_may_be_signalled(const struct safe__looker *looker);

/* Whether a sleep in the kernel is too short to be called one for ever. */
bool safe__look_is_brief(int64_t since_ms);

/* Of a thread in uninterruptible sleep: whether it stays there. Two looks are at least 50 ms apart; the pause between
   them is one for all processes. */
enum safe__stuck { SAFE__PASSING, SAFE__STUCK, SAFE__NO_TIME };
enum safe__stuck safe__look_stuck(struct safe__scene *scene, int64_t pid, int64_t thread, int64_t deadline);

/* ---- What a thread that sleeps waits for. */

/* Reads which call it is in. False: that may not be known, or it is in none; *os_code says why, or is 0. */
bool safe__look_call(struct safe__looker *looker, int *os_code);
/* Whether the numbers of calls are those that this program was built for: not under an emulator. */
bool safe__look_knows_calls(struct safe__scene *scene);
/* Adds what it wants in that call. */
void safe__look_wait(struct safe__looker *looker);
/* Whether the call asks for a lock, and waits for it. */
bool safe__look_asks_for_lock(const struct safe__looker *looker);
/* Whether it is one that makes a process, in which nothing but vfork sleeps for long. */
bool safe__look_is_vfork(const struct safe__looker *looker);

/* A want of the looker's thread; NULL without memory. */
struct safe__want *safe__look_want(const struct safe__looker *looker, int32_t waits);
/* The same with words; text may be NULL for the wait channel. */
struct safe__want *safe__look_other(const struct safe__looker *looker, const char *text, int64_t limit_ms);

/* poll and relatives (look_poll.c). */
void safe__look_poll(struct safe__looker *looker);
void safe__look_ppoll(struct safe__looker *looker);
void safe__look_select(struct safe__looker *looker);
void safe__look_pselect(struct safe__looker *looker);
void safe__look_epoll(struct safe__looker *looker);
void safe__look_epoll2(struct safe__looker *looker);

/* A struct timespec, or with microseconds a struct timeval, of the process, in milliseconds, rounded up; -1: there is
   none, or it cannot be read. */
int64_t safe__look_time(struct safe__looker *looker, uint64_t address, bool microseconds);

/* ---- What a descriptor is, to one who waits with it (look_descriptor.c). */
enum safe__waitable_kind {
  SAFE__IS_OTHER,
  SAFE__IS_PIPE,
  SAFE__IS_PIDFD,
  SAFE__IS_EPOLL,
  SAFE__IS_SOCKET,
  SAFE__IS_TERMINAL,
  SAFE__IS_FILE
};

struct safe__waitable {
  enum safe__waitable_kind kind;
  struct safe__file_id id; /* PIPE */
  int64_t pid;             /* PIDFD: whose; 0 where that is not known */
  char name[256];          /* its link */
  const char *words;       /* for a want's what; NULL: the name */
};

void safe__look_descriptor(struct safe__looker *looker, int number, struct safe__waitable *waitable);
/* The object of a file that is locked, or -1, and then its name all the same. */
int32_t safe__look_locked_file(struct safe__looker *looker, int number, char *name, size_t size);

/* ---- Pipes (look_pipe.c). */
/* Adds who has the ends of a pipe open. */
void safe__look_pipe(struct safe__scene *scene, int32_t object, int64_t deadline);

#endif
