# SPDX-License-Identifier: MIT
# Shared by the targets whose compiler is zig cc: wrappers that tools/build.sh writes to build/tools/bin.

get_filename_component(zig ${CMAKE_CURRENT_LIST_DIR}/../../build/tools/bin ABSOLUTE)
if(NOT EXISTS ${zig}/${SAFEHOLD_ZIG_TARGET}-cc)
  message(FATAL_ERROR "${zig}/${SAFEHOLD_ZIG_TARGET}-cc is missing; build this target with tools/build.sh")
endif()
set(CMAKE_C_COMPILER ${zig}/${SAFEHOLD_ZIG_TARGET}-cc)
set(CMAKE_AR ${zig}/zig-ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${zig}/zig-ranlib CACHE FILEPATH "")

set(CMAKE_FIND_ROOT_PATH ${CMAKE_CURRENT_LIST_DIR}) # nothing of the target's is on this machine
include(${CMAKE_CURRENT_LIST_DIR}/find-in-root.cmake)
