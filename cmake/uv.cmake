# SPDX-License-Identifier: MIT
# The libuv adapter: safehold_uv, alias safehold::uv. It uses the public headers only, so that it goes with the static
# library as with the shared one.

set(sources budget.c code.c group.c like.c lock.c process.c stdio.c stop.c watch.c)
if(WIN32)
  list(APPEND sources stdio_win.c watch_wait.c)
else()
  list(APPEND sources stdio_unix.c watch_poll.c)
endif()
list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/src/uv/)

add_library(safehold_uv STATIC ${sources})
add_library(safehold::uv ALIAS safehold_uv)
safehold_target(safehold_uv)
set_target_properties(safehold_uv PROPERTIES EXPORT_NAME uv POSITION_INDEPENDENT_CODE ON)
if(BUILD_SHARED_LIBS AND SAFEHOLD_BUILD_SHARED)
  set(safehold_of_uv safehold)
else()
  set(safehold_of_uv safehold_static)
endif()
# An installed one names the libuv that the package's user has found: safehold-config.cmake makes safehold::libuv.
target_link_libraries(safehold_uv PUBLIC $<BUILD_INTERFACE:${safehold_of_uv}> $<BUILD_INTERFACE:safehold_dep_uv>
                                         $<INSTALL_INTERFACE:safehold::safehold> $<INSTALL_INTERFACE:safehold::libuv>)
