/* SPDX-License-Identifier: MIT */
/* The little of io_uring(7) that is used here; the headers of most distributions are older than what it needs. Names
   and numbers are those of linux/io_uring.h, which is a stable interface. */
#ifndef SAFEHOLD_IO_URING_H
#define SAFEHOLD_IO_URING_H

#include <stdint.h>
#include <sys/syscall.h>

#ifndef SYS_io_uring_setup /* the same number on every architecture but Alpha */
#define SYS_io_uring_setup 425
#define SYS_io_uring_enter 426
#define SYS_io_uring_register 427
#endif

struct safe__uring_sqe {
  uint8_t opcode, flags;
  uint16_t priority;
  int32_t fd;
  uint64_t off, addr;
  uint32_t len, op_flags;
  uint64_t user_data;
  uint16_t buffer, personality;
  int32_t file_index;
  uint64_t more[2];
};
_Static_assert(sizeof(struct safe__uring_sqe) == 64, "as in linux/io_uring.h");

struct safe__uring_cqe {
  uint64_t user_data;
  int32_t result;
  uint32_t flags;
};

struct safe__uring_params {
  uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, reserved[3];
  struct {
    uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, reserved;
    uint64_t user_addr;
  } sq_off;
  struct {
    uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, reserved;
    uint64_t user_addr;
  } cq_off;
};
_Static_assert(sizeof(struct safe__uring_params) == 120, "as in linux/io_uring.h");

struct safe__uring_getevents_arg {
  uint64_t sigmask; /* none */
  uint32_t sigmask_size, min_wait;
  uint64_t ts;
};

struct safe__uring_rsrc_update {
  uint32_t offset, reserved;
  uint64_t data;
};

#define SAFE__URING_SETUP_NO_MMAP (1u << 14)            /* 6.5 */
#define SAFE__URING_SETUP_REGISTERED_FD_ONLY (1u << 15) /* 6.5 */
#define SAFE__URING_SETUP_NO_SQARRAY (1u << 16)         /* 6.6 */

#define SAFE__URING_ENTER_GETEVENTS (1u << 0)
#define SAFE__URING_ENTER_EXT_ARG (1u << 3)    /* 5.11 */
#define SAFE__URING_ENTER_REGISTERED (1u << 4) /* the ring is a number of the thread's, no descriptor */

#define SAFE__URING_REGISTER_FILES 2
#define SAFE__URING_UNREGISTER_RING 21
#define SAFE__URING_REGISTER_BY_NUMBER (1u << 31)

#define SAFE__URING_POLL_ADD 6
#define SAFE__URING_TIMEOUT 11
#define SAFE__URING_ASYNC_CANCEL 14
#define SAFE__URING_READ 22

#define SAFE__URING_FIXED_FILE (1u << 0)
#define SAFE__URING_LINK (1u << 2)

#define SAFE__URING_TIMEOUT_ABS (1u << 0)           /* on CLOCK_MONOTONIC */
#define SAFE__URING_TIMEOUT_ETIME_SUCCESS (1u << 5) /* 5.16: what is linked to it runs */
#define SAFE__URING_CANCEL_ALL (1u << 0)            /* 5.19 */
#define SAFE__URING_CANCEL_ANY (1u << 2)            /* 5.19 */
#define SAFE__URING_POLLIN 1u

/* io_uring_setup(2): a number of the thread's, or a negative errno. Tests replace it by a refusal (lock_ring.c). */
extern long (*safe__uring_setup)(unsigned entries, struct safe__uring_params *params);

#endif
