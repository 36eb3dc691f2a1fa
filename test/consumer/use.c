/* SPDX-License-Identifier: MIT */
#include <safehold/version.h>

#include <string.h>

/* Exits with 0 when header, library and the package's own version (the argument) agree. */
int main(int argc, char **argv) {
  if (argc != 2 || strcmp(argv[1], safe_version()) != 0) return 1;
  return safe_version_number() == SAFE_VERSION_NUMBER ? 0 : 1;
}
