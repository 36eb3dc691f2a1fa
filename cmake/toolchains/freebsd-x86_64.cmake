# SPDX-License-Identifier: MIT
# FreeBSD x86_64 with zig cc. What it makes cannot be run here.

set(CMAKE_SYSTEM_NAME FreeBSD)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(SAFEHOLD_ZIG_TARGET x86_64-freebsd)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
