/* SPDX-License-Identifier: MIT */
/* The smallest child: what is measured is what it takes to get there. */
int main(void) { return 0; }
