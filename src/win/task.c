/* SPDX-License-Identifier: MIT */
#include "task.h"

#define STACK_RESERVE (512 * 1024) /* CreateProcess calls into whatever a virus scanner has hooked in */

enum { RUNNING, DELIVERED, ABANDONED, PARKED };

static volatile LONG parked_looks;

int safe__win_parked_looks(void) {
  if (InterlockedCompareExchange(&parked_looks, 0, 0) > 0) safe__parked_collect();
  return (int)InterlockedCompareExchange(&parked_looks, 0, 0);
}

static DWORD WINAPI enter(void *data) {
  struct safe__win_task *task = data;

  /* A service that acts for a client does so per thread: without this the work would be done with its own rights. */
  if (task->token != NULL && !SetThreadToken(NULL, task->token))
    task->failure = GetLastError();
  else
    task->run(task);
  return 0;
}

static void release(struct safe__win_task *task) {
  safe__win_close(&task->thread);
  safe__win_close(&task->token);
}

int safe__win_task_start(struct safe__win_task *task, int stage, safe_error *error) {
  DWORD failure;

  /* Else whoever asks a dead server once a second would leave a thread behind each time. */
  if (task->look && safe__win_parked_looks() >= SAFE__MOST_PARKED_LOOKS)
    return safe__fail(error, SAFE_ESTUCK, stage, -1, "The system has not answered %d earlier questions yet.",
                      SAFE__MOST_PARKED_LOOKS);
  task->state = RUNNING;
  task->failure = 0;
  if (!OpenThreadToken(GetCurrentThread(), TOKEN_IMPERSONATE, TRUE, &task->token)) task->token = NULL;
  task->thread = CreateThread(NULL, STACK_RESERVE, enter, task, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
  if (task->thread != NULL) return SAFE_OK;
  failure = GetLastError();
  release(task);
  return safe__fail_os(error, failure, stage, -1, "No thread could be started");
}

bool safe__win_task_deliver(struct safe__win_task *task) {
  return InterlockedCompareExchange(&task->state, DELIVERED, RUNNING) == RUNNING;
}

static bool collect(struct safe__parked *item) {
  struct safe__win_task *task = (struct safe__win_task *)item;

  if (!safe__win_signalled(task->thread)) {
    CancelSynchronousIo(task->thread); /* it may have come to the next call that blocks */
    return false;
  }
  release(task);
  if (task->look && task->state == PARKED) InterlockedDecrement(&parked_looks);
  task->free(task);
  return true;
}

int safe__win_task_wait(struct safe__win_task *task, int64_t deadline, int64_t settle_ms) {
  DWORD answer = safe__win_wait(&task->thread, 1, deadline);

  /* A thread that has delivered is on its way out: nothing it does any more can block. */
  if (answer != WAIT_OBJECT_0 && InterlockedCompareExchange(&task->state, ABANDONED, RUNNING) == DELIVERED)
    answer = safe__win_wait(&task->thread, 1, SAFE__NEVER);
  if (answer == WAIT_OBJECT_0) {
    release(task);
    return SAFE_OK;
  }
  if (task->abandon != NULL) task->abandon(task);
  CancelSynchronousIo(task->thread);
  task->parked.collect = collect;
  if (safe__win_wait(&task->thread, 1, safe__deadline(settle_ms)) == WAIT_OBJECT_0) {
    collect(&task->parked);
    return SAFE_ETIMEDOUT;
  }
  task->state = PARKED; /* deliver changes nothing but RUNNING */
  if (task->look) InterlockedIncrement(&parked_looks);
  safe__park(&task->parked);
  return SAFE_ESTUCK;
}
