/* SPDX-License-Identifier: MIT */
/*
 * The host's side of the guard: a process that is the child's parent in our place, so that the child's status cannot be
 * taken from us; that adopts what a child of the child leaves behind; and that can outlive us by as much as it takes to
 * end them all. It shares our memory, as a copy of it would cost the more the more there is; it does not share our
 * descriptors, and keeps none of them open.
 *
 * What it is told is the end of a pipe: a byte when it is not needed any more, and its end when this process has gone
 * or has called exec. A forked copy of this process keeps that pipe open, but writes nothing.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quiet_write.h"
#include "tree.h"

static void close_one(int *fd) {
  int number = *fd;

  *fd = -1;
  if (number >= 0) close(number);
}

static bool child_left(const struct safe__guard *guard) {
  return guard->child_stack == NULL || __atomic_load_n(&guard->child_stack->word, __ATOMIC_ACQUIRE) == 0;
}

void safe__guard_forget(struct safe__guard *guard) {
  close_one(&guard->pipe[0]);
  close_one(&guard->pipe[1]);
  close_one(&guard->pidfd);
  safe__shared_stack_put(guard->stack);
  safe__shared_stack_put(guard->child_stack);
  if (guard->record != NULL) munmap(guard->record, sizeof(*guard->record));
  safe__free(guard);
}

bool safe__guard_free(struct safe__guard *guard, int64_t deadline) {
  if (guard->pid > 0 && !safe__reap(guard->pidfd, guard->pid, deadline)) return false;
  guard->pid = 0;
  if (!child_left(guard)) return false; /* the guard was killed, and the child hangs before exec */
  safe__guard_forget(guard);
  return true;
}

bool safe__guard_lives(struct safe__guard *guard) {
  siginfo_t info;

  return guard->pid > 0 && safe__waitid(guard->pidfd, guard->pid, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0 &&
         info.si_pid == 0;
}

bool safe__guard_tells(struct safe__guard *guard, int64_t deadline) {
  if (__atomic_load_n(&guard->record->ended, __ATOMIC_ACQUIRE) != 0) return true;
  if (!safe__guard_lives(guard)) return false;
  safe__futex_wait(&guard->record->ended, 0, deadline);
  return true;
}

void safe__guard_release(struct safe__guard *guard) {
  if (guard->pipe[1] >= 0) safe__quiet_write(guard->pipe[1], "", 1);
  close_one(&guard->pipe[1]);
}
