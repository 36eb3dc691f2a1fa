# SPDX-License-Identifier: MIT
# Everything installed finds its neighbours from where it lies, so the whole prefix may be moved.

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/safehold)

install(TARGETS safehold_static EXPORT safehold)
if(SAFEHOLD_BUILD_SHARED)
  install(TARGETS safehold EXPORT safehold)
endif()
if(SAFEHOLD_BUILD_CLI)
  install(TARGETS safehold_command)
endif()
if(TARGET safehold_trampoline)
  install(TARGETS safehold_trampoline RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR})
endif()
# The adapter goes with the system's libuv. One that was compiled here is nowhere on the machine of the package's user.
set(installs_uv FALSE)
set(no_uv_header PATTERN uv.h EXCLUDE)
if(TARGET safehold_uv AND NOT SAFEHOLD_UV_FETCHED)
  set(installs_uv TRUE)
  set(no_uv_header)
  install(TARGETS safehold_uv EXPORT safehold-uv)
endif()
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" ${no_uv_header})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT safehold NAMESPACE safehold:: FILE safehold-targets.cmake DESTINATION ${package_dir})
if(installs_uv)
  install(EXPORT safehold-uv NAMESPACE safehold:: FILE safehold-uv-targets.cmake DESTINATION ${package_dir})
endif()
configure_package_config_file(cmake/safehold-config.cmake.in safehold-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(safehold-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/safehold-config.cmake ${PROJECT_BINARY_DIR}/safehold-config-version.cmake
        DESTINATION ${package_dir})

set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_prefix /prefix/${pc_dir} /prefix)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
set(pc_libs_private)
if(NOT WIN32)
  set(pc_libs_private ${CMAKE_THREAD_LIBS_INIT})
endif()
configure_file(cmake/safehold.pc.in safehold.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/safehold.pc DESTINATION ${pc_dir})
if(installs_uv)
  configure_file(cmake/safehold-uv.pc.in safehold-uv.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/safehold-uv.pc DESTINATION ${pc_dir})
endif()
