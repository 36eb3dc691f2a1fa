/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_TEST_HELPER_H
#define SAFEHOLD_TEST_HELPER_H

/* What helper.c needs of the system: helper_unix.c or helper_win.c. */
void helper_setup(void); /* binary streams */
int helper_sleep(long ms);
void helper_refuse_to_end(void);
/* The words that are the system's own: cwd, handles, signals, leave, crash. 99 for an unknown one. */
int helper_system(int count, char **args);

#endif
