/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_PIPE_H
#define SAFEHOLD_PIPE_H

/* A pipe whose two ends are close-on-exec from their first moment: fds[0] reads, fds[1] writes. Neither
   is a standard stream's number. -1 and errno on failure. */
int safe__pipe(int fds[2]);

/* As large as that, if the system has pipes of different sizes and allows it. */
void safe__pipe_resize(int fd, unsigned size);

#endif
