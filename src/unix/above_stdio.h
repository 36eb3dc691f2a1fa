/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_ABOVE_STDIO_H
#define SAFEHOLD_ABOVE_STDIO_H

/*
 * In a host that has closed 0, 1 or 2 a new descriptor gets that number, and would be handed to the next child, or
 * written to by the host's own printf, as a standard stream. Takes fd over and answers the same close-on-exec file
 * under a number of 3 or more; or -1 with errno (fd is closed then). A negative fd is answered as it is.
 */
int safe__above_stdio(int fd);

#endif
