/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_WAIT_NOTE_H
#define SAFEHOLD_WAIT_NOTE_H

#include <stdint.h>

/* Behind what a thread of ours waits with (a struct flock, the word of a futex), for whoever looks at the process from
   outside, and does not see in the call itself when the wait ends. */
struct safe__wait_note {
  uint64_t magic[2];
  int64_t deadline; /* as of safe__os_now; SAFE__NEVER: none */
};
#define SAFE__WAIT_NOTE_MAGIC \
  { UINT64_C(0x6c6f686566617361), UINT64_C(0x6574696d65642e31) }

#endif
