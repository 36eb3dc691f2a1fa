/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_POLL_WAIT_H
#define SAFEHOLD_POLL_WAIT_H

#include <poll.h>

#include "os.h"

/* poll(2) by a deadline; a descriptor of -1 is passed over. May return early, at a signal; then 0 is answered. */
int safe__poll(struct pollfd *ready, int count, int64_t deadline);
/* The same; -1: a signal handler has run. */
int safe__poll_once(struct pollfd *ready, int count, int64_t deadline);

/* What becomes readable when the cancel is triggered; -1 for NULL. */
int safe__cancel_fd(const safe_cancel *cancel);

#endif
