# SPDX-License-Identifier: MIT
# macOS: the program that is spawned in a child's stead where posix_spawn alone does not do (src/unix/macos/trampoline.h).
# It lies in libexec of the build as it does where it is installed, and is found from there.

list(TRANSFORM SAFEHOLD_TRAMPOLINE_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/src/ OUTPUT_VARIABLE trampoline_sources)
add_executable(safehold_trampoline ${trampoline_sources})
safehold_target(safehold_trampoline)
safehold_private_headers(safehold_trampoline)
target_link_libraries(safehold_trampoline PRIVATE safehold_static)
set_target_properties(safehold_trampoline PROPERTIES OUTPUT_NAME safehold-trampoline
                                                     RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/libexec)
set_source_files_properties(
  ${PROJECT_SOURCE_DIR}/src/unix/macos/trampoline_find.c
  PROPERTIES COMPILE_DEFINITIONS "SAFE__TRAMPOLINE_PATH=\"${CMAKE_INSTALL_FULL_LIBEXECDIR}/safehold-trampoline\"")
