/* SPDX-License-Identifier: MIT */
#include "safehold/version.h"

#include <stdio.h>

int main(void) {
  printf("safehold %s\n", safe_version());
  return 0;
}
