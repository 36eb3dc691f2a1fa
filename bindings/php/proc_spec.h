/* SPDX-License-Identifier: MIT */
/* The descriptors that proc_open() is asked to give a child. */
#ifndef SAFEHOLD_PHP_PROC_SPEC_H
#define SAFEHOLD_PHP_PROC_SPEC_H

#include "php_safehold.h"

struct safehold_proc_end {
  int index;        /* the descriptor's number in the child */
  int child;        /* what the child gets; ours to close, or -1 */
  int ours;         /* the other end of a pipe, socket or terminal, or -1 */
  const char *mode; /* of the stream on our end; NULL for a socket */
};

struct safehold_proc_spec {
  struct safehold_proc_end *ends;
  int count;
  int terminal, terminal_child; /* of a "pty", the same one for all of them; -1 */
  safe_child_handle *handles;   /* those ends whose index is above 2 */
};

/* Opens what the array asks for. false: a warning or an exception tells why. Whatever happened, also a fatal error,
   safehold_proc_spec_close has to follow. */
bool safehold_proc_spec_read(struct safehold_proc_spec *spec, HashTable *array);
/* Lists the ends in the options, which are good for as long as the spec is. */
void safehold_proc_spec_give(struct safehold_proc_spec *spec, safe_spawn_options *options);
/* Our end as a stream, which then owns it; NULL if there is none. */
php_stream *safehold_proc_end_stream(struct safehold_proc_end *end);
void safehold_proc_spec_close(struct safehold_proc_spec *spec);

#endif
