/* SPDX-License-Identifier: MIT */
/*
 * How many scripts run at a time, over all loops, and who waits for a place: first come, first served.
 */
#ifndef CGI_SERVER_JOB_QUEUE_H
#define CGI_SERVER_JOB_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

struct worker;

struct job {
  TAILQ_ENTRY(job) link;
  struct worker *worker;
  void (*begin)(struct job *job); /* in the worker's thread, when a place is free */
  enum { JOB_NONE, JOB_WAITS, JOB_GRANTED, JOB_RUNS } state;
};

TAILQ_HEAD(job_list, job);

struct job_queue {
  pthread_mutex_t lock;
  int running, limit;
  int waiting, wait_limit;
  struct job_list waits, granted;
};

void job_queue_init(struct job_queue *queue, int limit, int wait_limit);
/* JOB_RUNS: it has a place. JOB_WAITS: begin is called later. JOB_NONE: the queue is full. */
int job_queue_enter(struct job_queue *queue, struct job *job);
/* Gives the place back, or leaves the queue; for a job with neither it does nothing. */
void job_queue_leave(struct job_queue *queue, struct job *job);
/* Begins what was granted to the worker's jobs. */
void job_queue_attend(struct job_queue *queue, struct worker *worker);
void job_queue_counts(struct job_queue *queue, int *running, int *waiting);

#endif
