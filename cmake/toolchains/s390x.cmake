# SPDX-License-Identifier: MIT
# Linux s390x with the distribution's cross compiler; the tests run under qemu-user.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)

set(CMAKE_C_COMPILER s390x-linux-gnu-gcc)

set(CMAKE_FIND_ROOT_PATH /usr/s390x-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/find-in-root.cmake)

find_program(SAFEHOLD_QEMU NAMES qemu-s390x qemu-s390x-static REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR ${SAFEHOLD_QEMU} -L /usr/s390x-linux-gnu)
