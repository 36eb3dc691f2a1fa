/* SPDX-License-Identifier: MIT */
/* Shell scripts around the command; where there is a shell. */
#ifndef SAFEHOLD_TEST_SCRIPT_H
#define SAFEHOLD_TEST_SCRIPT_H

/* $SAFEHOLD is the command. Fails the test with the script's output unless it exits with 0. */
void script(const char *text);

#endif
