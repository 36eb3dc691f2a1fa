/* SPDX-License-Identifier: MIT */
/*
 * A wait for an OFD lock that needs neither a helper nor a signal: the thread itself blocks in F_OFD_SETLKW, in the
 * kernel's own queue, and io_uring takes it out of it at the deadline, or when the cancel is triggered.
 *
 * io_uring completes a request in the context of the thread that submitted it. For that it interrupts the system call
 * which the thread is in (TWA_SIGNAL, TIF_NOTIFY_SIGNAL), and no handler runs; then the kernel restarts the call, which
 * reads its struct flock from our memory once more. So the request that ends the wait is a read into that struct: it
 * makes l_pid 1, which F_OFD_SETLKW refuses (EINVAL). No wake-up can be lost: if the read comes before the call, the
 * call itself is refused, and if it comes later, the call is interrupted.
 *
 * The ring has no descriptor. It is made on our own memory and is the thread's (IORING_SETUP_NO_MMAP and
 * REGISTERED_FD_ONLY, Linux 6.5); what is read is an eventfd of which only the ring knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/time_types.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "above_stdio.h"
#include "fork.h"
#include "io_uring.h"
#include "kernel.h"
#include "lock_calls.h"
#include "lock_catch.h"
#include "lock_raw.h"
#include "lock_ring.h"
#include "poll_wait.h"
#include "wait_note.h"

#define ENTRIES 8
#define PAGE 4096

/* As laid out in our pages: the kernel's rings, its requests, and what they speak of. */
struct ring {
  unsigned char *memory;
  struct safe__uring_sqe *requests;
  unsigned *tail, *results_head, *results_tail; /* shared with the kernel */
  struct safe__uring_cqe *results;
  unsigned mask, results_mask;
  struct spoiled {
    struct flock range; /* what the thread blocks with */
    struct safe__wait_note note;
    struct __kernel_timespec at;
  } * spoiled;
  int number;     /* among those of the thread */
  int64_t owner;  /* the process; a forked child has none of this */
  int64_t look;   /* of struct safe__turns */
  unsigned asked; /* requests that have not been answered */
  unsigned reads; /* left in the eventfd */
  struct safe__known_mount mount;
  volatile bool busy; /* a wait goes on: to a handler of the host's that has interrupted it the ring is not there */
  bool broken;
};

enum { AT_DEADLINE = 1, AT_CANCEL = 2, SPOIL = 3, STOP = 4 };

static atomic_bool refused;   /* no io_uring, or an older one, or a policy: it is not tried again */
static pthread_key_t at_exit; /* of a thread */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool keyed;

/* ---- Making one. */

static long setup_call(unsigned entries, struct safe__uring_params *params) {
  return safe__raw6(SYS_io_uring_setup, entries, (long)params, 0, 0, 0, 0);
}

long (*safe__uring_setup)(unsigned entries, struct safe__uring_params *params) = setup_call;

static long enter(const struct ring *ring, unsigned submit) {
  return safe__raw6(SYS_io_uring_enter, ring->number, submit, 0, SAFE__URING_ENTER_REGISTERED, 0, 0);
}

/* Waits for so many answers too, until the deadline: -ETIME. */
static long enter_and_wait(const struct ring *ring, unsigned submit, unsigned await, int64_t deadline) {
  int64_t left = deadline - safe__os_now();
  struct __kernel_timespec time = {0, left > 0 ? left : 0};
  struct safe__uring_getevents_arg argument = {.ts = (uint64_t)(uintptr_t)&time};

  return safe__raw6(SYS_io_uring_enter, ring->number, submit, await,
                    SAFE__URING_ENTER_REGISTERED | SAFE__URING_ENTER_GETEVENTS | SAFE__URING_ENTER_EXT_ARG,
                    (long)&argument, sizeof(argument));
}

static long ring_register(int ring, unsigned what, void *argument, unsigned count) {
  return safe__raw6(SYS_io_uring_register, ring, what | SAFE__URING_REGISTER_BY_NUMBER, (long)argument, count, 0, 0);
}

/* The ring alone keeps the eventfd: nobody can close it, and no child can get it. */
static bool give_eventfd(struct ring *ring) {
  long result = -EMFILE;
  int fd;

  safe__fork_hold();
  fd = safe__above_stdio(eventfd(UINT32_MAX, EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK));
  if (fd >= 0) {
    result = ring_register(ring->number, SAFE__URING_REGISTER_FILES, &fd, 1);
    close(fd);
  }
  safe__fork_allow();
  ring->reads = UINT32_MAX;
  return result == 0;
}

static void map(struct ring *ring, const struct safe__uring_params *params) {
  ring->tail = (unsigned *)(void *)(ring->memory + params->sq_off.tail);
  ring->results_head = (unsigned *)(void *)(ring->memory + params->cq_off.head);
  ring->results_tail = (unsigned *)(void *)(ring->memory + params->cq_off.tail);
  ring->results = (struct safe__uring_cqe *)(void *)(ring->memory + params->cq_off.cqes);
  ring->mask = params->sq_entries - 1;
  ring->results_mask = params->cq_entries - 1;
}

static void end_ring(struct ring *ring) {
  struct safe__uring_rsrc_update own = {(unsigned)ring->number, 0, 0};
  bool ours = ring->owner == safe__os_self();

  if (ring->number >= 0 && ours) ring_register(ring->number, SAFE__URING_UNREGISTER_RING, &own, 1);
  /* The kernel has the pages for itself until it is done with them. Not so what a request reads into: where one may
     still be under way, that of a broken ring, nothing else is to get the addresses. */
  if (!ours || ring->asked == 0) munmap(ring->memory, (size_t)3 * PAGE);
  safe__free(ring);
}

static long set_up(struct ring *ring) {
  struct safe__uring_params params = {0};
  long number;

  params.flags = SAFE__URING_SETUP_NO_MMAP | SAFE__URING_SETUP_REGISTERED_FD_ONLY | SAFE__URING_SETUP_NO_SQARRAY;
  params.cq_off.user_addr = (uint64_t)(uintptr_t)ring->memory;
  params.sq_off.user_addr = (uint64_t)(uintptr_t)(ring->memory + PAGE);
  number = safe__uring_setup(ENTRIES, &params);
  if (number < 0) return number;
  ring->number = (int)number;
  map(ring, &params);
  return give_eventfd(ring) ? 0 : -EMFILE;
}

static struct ring *make_ring(void) {
  struct ring *ring = safe__alloc(sizeof(*ring));
  long result;

  if (ring == NULL) return NULL;
  ring->number = -1;
  ring->owner = safe__os_self();
  ring->memory = mmap(NULL, (size_t)3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (ring->memory == MAP_FAILED) {
    safe__free(ring);
    return NULL;
  }
  ring->requests = (struct safe__uring_sqe *)(void *)(ring->memory + PAGE);
  ring->spoiled = (struct spoiled *)(void *)(ring->memory + (size_t)2 * PAGE);
  result = set_up(ring);
  if (result == 0 && pthread_setspecific(at_exit, ring) == 0) return ring;
  /* Of want of memory or descriptors there may be an end, and another thread may have fewer rings (EBUSY). */
  if (result != 0 && result != -ENOMEM && result != -EMFILE && result != -ENFILE && result != -EAGAIN &&
      result != -EBUSY)
    atomic_store(&refused, true);
  end_ring(ring);
  return NULL;
}

static void thread_ends(void *ring) { end_ring(ring); }

static void make_key(void) { keyed = pthread_key_create(&at_exit, thread_ends) == 0; }

static struct ring *own_ring(void) {
  struct ring *ring;

  if (atomic_load_explicit(&refused, memory_order_relaxed) || safe__raw_on_valgrind() != 0) return NULL;
  pthread_once(&once, make_key);
  if (!keyed) return NULL;
  ring = pthread_getspecific(at_exit);
  if (ring != NULL && ring->owner == safe__os_self()) {
    if (ring->broken || ring->busy) return NULL;
    if (ring->reads > ENTRIES) return ring;
  }
  if (ring != NULL) {
    pthread_setspecific(at_exit, NULL);
    end_ring(ring);
  }
  return make_ring();
}

void safe__lock_ring_release(void) {
  struct ring *ring = keyed ? pthread_getspecific(at_exit) : NULL;

  if (ring == NULL || (ring->busy && ring->owner == safe__os_self())) return;
  pthread_setspecific(at_exit, NULL);
  end_ring(ring);
}

/* ---- Requests. */

static struct safe__uring_sqe *ask(struct ring *ring, uint8_t opcode, uint64_t name) {
  unsigned tail = *ring->tail;
  struct safe__uring_sqe *request = &ring->requests[tail & ring->mask];

  *request = (struct safe__uring_sqe){.opcode = opcode, .fd = -1, .user_data = name};
  __atomic_store_n(ring->tail, tail + 1, __ATOMIC_RELEASE);
  ring->asked++;
  return request;
}

/* Linked to the one before it: it runs when that one has succeeded, and is given up with it. */
static void ask_to_spoil(struct ring *ring) {
  struct safe__uring_sqe *request = ask(ring, SAFE__URING_READ, SPOIL);

  request->fd = 0; /* the ring's only file */
  request->flags = SAFE__URING_FIXED_FILE;
  request->addr = (uint64_t)(uintptr_t)ring->spoiled + offsetof(struct spoiled, range) + offsetof(struct flock, l_pid);
  request->len = sizeof(uint64_t); /* what an eventfd gives; l_pid is the struct's last field but for padding */
  ring->reads--;
}
_Static_assert(offsetof(struct flock, l_pid) + sizeof(uint64_t) <= sizeof(struct flock), "a read of 8 bytes fits");

static void ask_for_time(struct ring *ring, int64_t deadline) {
  struct safe__uring_sqe *request = ask(ring, SAFE__URING_TIMEOUT, AT_DEADLINE);

  ring->spoiled->at.tv_sec = deadline / 1000000000;
  ring->spoiled->at.tv_nsec = deadline % 1000000000;
  request->flags = SAFE__URING_LINK;
  request->addr = (uint64_t)(uintptr_t)&ring->spoiled->at;
  request->len = 1;
  request->op_flags = SAFE__URING_TIMEOUT_ABS | SAFE__URING_TIMEOUT_ETIME_SUCCESS;
  ask_to_spoil(ring);
}

static void ask_for_cancel(struct ring *ring, int fd) {
  struct safe__uring_sqe *request = ask(ring, SAFE__URING_POLL_ADD, AT_CANCEL);

  request->flags = SAFE__URING_LINK;
  request->fd = fd;
  request->op_flags = SAFE__URING_POLLIN;
  ask_to_spoil(ring);
}

static void take_results(struct ring *ring) {
  unsigned head = *ring->results_head, tail = __atomic_load_n(ring->results_tail, __ATOMIC_ACQUIRE);

  ring->asked -= tail - head;
  __atomic_store_n(ring->results_head, tail, __ATOMIC_RELEASE);
}

/* How long that may take; it takes microseconds. Less than a second, as the kernel is told it in ns. */
#define ANSWER_MS 100

/* Until every request is answered: none may write into the struct of a later wait. */
static void stop(struct ring *ring) {
  int64_t deadline = safe__deadline(ANSWER_MS);
  struct safe__uring_sqe *request;
  unsigned submit = 0;
  long result;

  take_results(ring);
  if (ring->asked > 0) {
    request = ask(ring, SAFE__URING_ASYNC_CANCEL, STOP);
    request->op_flags = SAFE__URING_CANCEL_ALL | SAFE__URING_CANCEL_ANY;
    submit = 1;
  }
  while (ring->asked > 0) {
    result = enter_and_wait(ring, submit, ring->asked, deadline);
    take_results(ring);
    if (result >= 0) submit = 0;
    if (result < 0 && result != -EINTR) {
      ring->broken = true; /* it is not used again */
      return;
    }
  }
}

static bool is_spoiled(const struct ring *ring) {
  return __atomic_load_n(&ring->spoiled->range.l_pid, __ATOMIC_ACQUIRE) != 0;
}

/* ---- The wait. */

struct ring_wait {
  struct ring *ring;
  const struct safe__file *file;
  const struct safe__claim *claim;
  safe_cancel *cancel;
  safe_error *error;
  struct safe__file_id id; /* of a caller's own file */
};

static int spoiled(const struct ring_wait *wait) {
  if (safe__os_cancel_triggered(wait->cancel)) return SAFE_ECANCELED;
  return safe__is_still(wait->file, &wait->id) ? SAFE_ETIMEDOUT : safe__lock_failed(EBADF, wait->error);
}

static int wait_until(void *context, int64_t until) {
  const struct ring_wait *wait = context;
  struct ring *ring = wait->ring;
  unsigned submit;
  long result;
  bool over;

  ring->spoiled->range = safe__record_range(wait->claim, safe__record_type(wait->claim));
  if (until != SAFE__NEVER) ask_for_time(ring, until);
  if (wait->cancel != NULL) ask_for_cancel(ring, safe__cancel_fd(wait->cancel));
  submit = ring->asked;
  do result = enter(ring, submit);
  while (result == -EINTR);
  if (result != (long)submit) {
    ring->broken = true; /* some were taken, or none: it is not worth finding out */
    return SAFE_EBUSY;
  }
  do result = safe__raw_lock(wait->file->fd, wait->claim, &ring->spoiled->range, true);
  while (result == -EINTR); /* a handler of the host's has run */
  over = is_spoiled(ring);
  stop(ring);
  if (result == 0) return SAFE_OK;
  return result == -EINVAL && over ? spoiled(wait) : safe__lock_failed((int)-result, wait->error);
}

int safe__os_lock_ring(struct safe__file *file, const struct safe__claim *claim, int64_t deadline, safe_cancel *cancel,
                       safe_error *error) {
  struct ring *ring = claim->method == SAFE_METHOD_OFD ? own_ring() : NULL;
  struct ring_wait wait = {ring, file, claim, cancel, error, {0, 0, 0}};
  struct safe__turns turns = {.fd = file->fd,
                              .claim = claim,
                              .began = safe__os_now(),
                              .deadline = deadline,
                              .wait = wait_until,
                              .context = &wait};
  int code;

  if (ring == NULL || safe__mount_is_local(file->fd, &ring->mount) != 1) return SAFE_EBUSY;
  if (file->borrowed && !safe__os_file_id(file, &wait.id)) return safe__lock_failed(EBADF, error);
  ring->spoiled->note = (struct safe__wait_note){SAFE__WAIT_NOTE_MAGIC, deadline};
  turns.look = &ring->look;
  ring->busy = true;
  code = safe__wait_in_turns(&turns);
  ring->busy = false;
  return code;
}
