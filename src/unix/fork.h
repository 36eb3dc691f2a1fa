/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_FORK_H
#define SAFEHOLD_FORK_H

/*
 * A forked child closes its copies of our descriptors: a lock is its open file description's, and a holder that is
 * killed would otherwise leave it with a child that has not called exec. Between hold and allow a descriptor comes to
 * be and is noted down, and no fork of another thread takes place; a fork waits for that no longer than 10 ms.
 */
void safe__fork_hold(void);
void safe__fork_allow(void);

#endif
