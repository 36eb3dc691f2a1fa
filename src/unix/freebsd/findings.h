/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's tables say about the locks on one file. They are read aside (aside.h): the kernel looks at every
 * locked or open file for them (VOP_STAT in kern_lockf.c, VOP_GETATTR for kern.proc.filedesc).
 */
#ifndef SAFEHOLD_FINDINGS_H
#define SAFEHOLD_FINDINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#define SAFE__MOST_RECORDS 64
#define SAFE__MOST_PROCESSES 512
#define SAFE__FOUND_NAME 20 /* ki_comm */

/* A record lock, or one of a remote system: the table names its owner. */
struct safe__found_record {
  pid_t pid;
  bool shared;
  char state; /* as in safe_holder */
  off_t offset, length;
  char name[SAFE__FOUND_NAME];
};

/* A process that has the file open and has asked for a flock on it at some time. Whether it got it is not told. */
struct safe__found_process {
  pid_t pid, parent;
  int descriptors; /* how many such */
  int first;       /* one of them */
  bool waiting;    /* it sleeps in a lock call, and that for */
  unsigned slept_s;
  char state; /* as in safe_holder */
  char name[SAFE__FOUND_NAME];
};

enum safe__findings_state { SAFE__FOUND_NOTHING = 0, SAFE__FOUND_FILE, SAFE__FOUND_LOCKS, SAFE__FOUND_ALL };

/* In memory that is shared with the process that fills it in; counts grow after what they count. */
struct safe__findings {
  const char *path; /* NULL: device and inode are known, or fd tells */
  int fd;           /* of the caller's own file, or -1; closed once it has told */
  bool only_file;   /* which one it is, and no more */
  pid_t host;
  atomic_int state;
  atomic_int os_code; /* of the failure that let the state go no further */
  dev_t device;
  ino_t inode;
  int flock_shared, flock_exclusive; /* flocks that are held; the table has no owner for them */
  int remote;                        /* record locks of other systems, by way of a file server here */
  atomic_int unreadable;             /* processes whose descriptors we may not see */
  atomic_int record_count, process_count;
  struct safe__found_record records[SAFE__MOST_RECORDS];
  struct safe__found_process processes[SAFE__MOST_PROCESSES];
};

/* Fills them in: for safe__aside. */
void safe__findings_collect(void *shared);

#endif
