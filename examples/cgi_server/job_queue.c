/* SPDX-License-Identifier: MIT */
#include "job_queue.h"

#include "server.h"

void job_queue_init(struct job_queue *queue, int limit, int wait_limit) {
  pthread_mutex_init(&queue->lock, NULL);
  queue->running = queue->waiting = 0;
  queue->limit = limit;
  queue->wait_limit = wait_limit;
  TAILQ_INIT(&queue->waits);
  TAILQ_INIT(&queue->granted);
}

int job_queue_enter(struct job_queue *queue, struct job *job) {
  int state;

  pthread_mutex_lock(&queue->lock);
  if (queue->running < queue->limit) {
    queue->running++;
    job->state = JOB_RUNS;
  } else if (queue->waiting < queue->wait_limit) {
    queue->waiting++;
    TAILQ_INSERT_TAIL(&queue->waits, job, link);
    job->state = JOB_WAITS;
  } else {
    job->state = JOB_NONE;
  }
  state = job->state; /* once the lock is free, another loop may grant the place */
  pthread_mutex_unlock(&queue->lock);
  return state;
}

void job_queue_leave(struct job_queue *queue, struct job *job) {
  struct job *next = NULL;

  pthread_mutex_lock(&queue->lock);
  if (job->state == JOB_WAITS) {
    TAILQ_REMOVE(&queue->waits, job, link);
    queue->waiting--;
  } else if (job->state != JOB_NONE) {
    if (job->state == JOB_GRANTED) TAILQ_REMOVE(&queue->granted, job, link);
    next = TAILQ_FIRST(&queue->waits);
    if (next == NULL) {
      queue->running--;
    } else { /* the place is handed on, so that nobody who comes just now takes it */
      TAILQ_REMOVE(&queue->waits, next, link);
      queue->waiting--;
      next->state = JOB_GRANTED;
      TAILQ_INSERT_TAIL(&queue->granted, next, link);
      if (next->worker == job->worker)
        next->worker->grants = true; /* it is this thread's own, and about to look */
      else
        uv_async_send(&next->worker->wake);
    }
  }
  job->state = JOB_NONE;
  pthread_mutex_unlock(&queue->lock);
}

void job_queue_attend(struct job_queue *queue, struct worker *worker) {
  struct job *job;

  do {
    pthread_mutex_lock(&queue->lock);
    TAILQ_FOREACH(job, &queue->granted, link) {
      if (job->worker == worker) break;
    }
    if (job != NULL) {
      TAILQ_REMOVE(&queue->granted, job, link);
      job->state = JOB_RUNS;
    }
    pthread_mutex_unlock(&queue->lock);
    if (job != NULL) job->begin(job);
  } while (job != NULL);
}

void job_queue_counts(struct job_queue *queue, int *running, int *waiting) {
  pthread_mutex_lock(&queue->lock);
  *running = queue->running;
  *waiting = queue->waiting;
  pthread_mutex_unlock(&queue->lock);
}
