/* SPDX-License-Identifier: MIT */
/*
 * System calls that not every architecture has, as newer ones of the kernel's generic table leave them out: there they
 * get a number that no call has. The kernel's headers know which, and so this is asked of them and not of the build.
 */
#ifndef SAFEHOLD_OLD_CALLS_H
#define SAFEHOLD_OLD_CALLS_H

#include <sys/syscall.h>

#define SAFE__NO_CALL (-2) /* -1 is a call that is not known */

#ifndef SYS_accept
#define SYS_accept SAFE__NO_CALL
#endif
#ifndef SYS_epoll_wait
#define SYS_epoll_wait SAFE__NO_CALL
#endif
#ifndef SYS_pause
#define SYS_pause SAFE__NO_CALL
#endif
#ifndef SYS_poll
#define SYS_poll SAFE__NO_CALL
#endif
#ifndef SYS_select
#define SYS_select SAFE__NO_CALL
#endif
#ifndef SYS_semop
#define SYS_semop SAFE__NO_CALL
#endif
#ifndef SYS_vfork
#define SYS_vfork SAFE__NO_CALL
#endif

#endif
