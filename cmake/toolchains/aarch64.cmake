# SPDX-License-Identifier: MIT
# Linux aarch64 with the distribution's cross compiler; the tests run under qemu-user.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/find-in-root.cmake)

find_program(SAFEHOLD_QEMU NAMES qemu-aarch64 qemu-aarch64-static REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR ${SAFEHOLD_QEMU} -L /usr/aarch64-linux-gnu)
