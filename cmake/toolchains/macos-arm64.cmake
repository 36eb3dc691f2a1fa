# SPDX-License-Identifier: MIT
# macOS arm64 with zig cc. What it makes cannot be run here.

set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)
set(CMAKE_OSX_SYSROOT "" CACHE STRING "zig brings its own headers")
set(CMAKE_OSX_DEPLOYMENT_TARGET "" CACHE STRING "")

set(SAFEHOLD_ZIG_TARGET aarch64-macos)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
