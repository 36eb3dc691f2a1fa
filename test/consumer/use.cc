// SPDX-License-Identifier: MIT
#include <safehold.h>
#include <safehold/version.h>

#include <string>

int main(int argc, char **argv) { return argc == 2 && std::string(argv[1]) == safe_version() ? 0 : 1; }
