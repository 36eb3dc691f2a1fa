/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_RESERVE_H
#define SAFEHOLD_RESERVE_H

/* What a spawn costs grows with the highest number that the child is given, as its descriptor table is copied that far.
   A host with thousands of descriptors can keep low ones for that (safe_reserve_descriptors). */

/* A copy of the descriptor under a kept number, if it is high and there is one; else the descriptor itself. */
int safe__reserve_copy(int fd, const void *holder);
/* Gives back the numbers of all copies that were made for this holder. */
void safe__reserve_return(const void *holder);

#endif
