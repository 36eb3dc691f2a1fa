# SPDX-License-Identifier: MIT
# Dependencies of the command, the adapter for libuv and the tests. The library itself has none.
#
#   safehold_dep_cjson    cJSON, 1.7.15 or newer: what the command's --json writes
#   safehold_dep_cmocka   CMocka, used within what 1.1.5 offers: the tests
#   safehold_dep_http_parser   llhttp 9 or newer, or http-parser 2.9: an example. Taken from the system or not at all
#   safehold_dep_uv       libuv, 1.44 or newer: the adapter, and a test
#
# A native build takes them from the system. What is not found there, and everything in a cross build, is compiled
# from source: cmake/fetch downloads it, or takes the folders that FETCHCONTENT_SOURCE_DIR_CJSON,
# FETCHCONTENT_SOURCE_DIR_CMOCKA and FETCHCONTENT_SOURCE_DIR_LIBUV name (tools/build.sh fills them from the
# distribution's source packages).

set(SAFEHOLD_FETCH)
if(NOT CMAKE_CROSSCOMPILING)
  find_package(PkgConfig QUIET)
endif()

if(SAFEHOLD_BUILD_CLI)
  add_library(safehold_dep_cjson INTERFACE)
  if(PkgConfig_FOUND)
    pkg_check_modules(SAFEHOLD_CJSON QUIET IMPORTED_TARGET libcjson>=1.7.15)
  endif()
  if(SAFEHOLD_CJSON_FOUND)
    target_link_libraries(safehold_dep_cjson INTERFACE PkgConfig::SAFEHOLD_CJSON)
  else()
    list(APPEND SAFEHOLD_FETCH cjson)
  endif()
endif()

if(SAFEHOLD_BUILD_TESTS)
  add_library(safehold_dep_cmocka INTERFACE)
  if(PkgConfig_FOUND)
    pkg_check_modules(SAFEHOLD_CMOCKA QUIET IMPORTED_TARGET cmocka>=1.1.5)
  endif()
  if(NOT CMAKE_CROSSCOMPILING AND NOT SAFEHOLD_CMOCKA_FOUND)
    find_package(cmocka 1.1.5 CONFIG QUIET)
  endif()

  if(SAFEHOLD_CMOCKA_FOUND)
    target_link_libraries(safehold_dep_cmocka INTERFACE PkgConfig::SAFEHOLD_CMOCKA)
  elseif(TARGET cmocka::cmocka)
    target_link_libraries(safehold_dep_cmocka INTERFACE cmocka::cmocka)
  elseif(cmocka_FOUND)
    target_include_directories(safehold_dep_cmocka INTERFACE ${CMOCKA_INCLUDE_DIR})
    target_link_libraries(safehold_dep_cmocka INTERFACE ${CMOCKA_LIBRARIES})
  else()
    list(APPEND SAFEHOLD_FETCH cmocka)
  endif()
endif()

if(SAFEHOLD_BUILD_TESTS OR SAFEHOLD_BUILD_UV)
  add_library(safehold_dep_uv INTERFACE)
  # The thread sanitizer takes a descriptor's number for shared as long as it has not seen it closed, and only in a libuv
  # that was compiled with it libuv closes in a way that it sees (src/unix/core.c: uv__close_nocancel).
  if(NOT SAFEHOLD_SANITIZE MATCHES thread)
    if(PkgConfig_FOUND)
      pkg_check_modules(SAFEHOLD_UV QUIET IMPORTED_TARGET libuv>=1.44)
    endif()
    if(NOT CMAKE_CROSSCOMPILING AND NOT SAFEHOLD_UV_FOUND)
      find_package(libuv 1.44 CONFIG QUIET)
    endif()
  endif()

  if(SAFEHOLD_UV_FOUND)
    target_link_libraries(safehold_dep_uv INTERFACE PkgConfig::SAFEHOLD_UV)
  elseif(TARGET libuv::uv)
    target_link_libraries(safehold_dep_uv INTERFACE libuv::uv)
  else()
    set(SAFEHOLD_UV_FETCHED TRUE)
    list(APPEND SAFEHOLD_FETCH libuv)
  endif()
endif()

if(SAFEHOLD_BUILD_EXAMPLES AND NOT CMAKE_CROSSCOMPILING AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  if(PkgConfig_FOUND)
    pkg_check_modules(SAFEHOLD_LLHTTP QUIET IMPORTED_TARGET libllhttp>=9)
  endif()
  find_path(SAFEHOLD_HTTP_PARSER_INCLUDE http_parser.h)
  find_library(SAFEHOLD_HTTP_PARSER_LIBRARY http_parser)
  mark_as_advanced(SAFEHOLD_HTTP_PARSER_INCLUDE SAFEHOLD_HTTP_PARSER_LIBRARY)
  if(SAFEHOLD_LLHTTP_FOUND)
    add_library(safehold_dep_http_parser INTERFACE)
    target_link_libraries(safehold_dep_http_parser INTERFACE PkgConfig::SAFEHOLD_LLHTTP)
    set(SAFEHOLD_HTTP_PARSER_SOURCE parser_llhttp.c)
  elseif(SAFEHOLD_HTTP_PARSER_INCLUDE AND SAFEHOLD_HTTP_PARSER_LIBRARY)
    add_library(safehold_dep_http_parser INTERFACE)
    target_include_directories(safehold_dep_http_parser SYSTEM INTERFACE ${SAFEHOLD_HTTP_PARSER_INCLUDE})
    target_link_libraries(safehold_dep_http_parser INTERFACE ${SAFEHOLD_HTTP_PARSER_LIBRARY})
    set(SAFEHOLD_HTTP_PARSER_SOURCE parser_http_parser.c strict_chunks.c)
  endif()
endif()

if(SAFEHOLD_FETCH)
  # A folder of its own: its variables stay there, and nothing of it is built or installed unless something of ours
  # links it.
  add_subdirectory(${CMAKE_CURRENT_LIST_DIR}/fetch EXCLUDE_FROM_ALL)
endif()
