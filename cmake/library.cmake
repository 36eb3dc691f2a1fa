# SPDX-License-Identifier: MIT
# The library itself: safehold_static always, safehold (shared) beside it, and the alias safehold::safehold.

include(GNUInstallDirs)

set(sources ${SAFEHOLD_PORTABLE_SOURCES})
if(WIN32)
  list(APPEND sources ${SAFEHOLD_WIN_SOURCES})
  set(SAFEHOLD_PRIVATE_INCLUDES ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/src/win)
else()
  list(APPEND sources ${SAFEHOLD_UNIX_SOURCES})
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    list(APPEND sources ${SAFEHOLD_LINUX_SOURCES})
    set(system_folders linux)
  elseif(APPLE)
    list(APPEND sources ${SAFEHOLD_MACOS_SOURCES})
    set(system_folders macos bsd)
  elseif(CMAKE_SYSTEM_NAME STREQUAL "FreeBSD")
    list(APPEND sources ${SAFEHOLD_FREEBSD_SOURCES})
    set(system_folders freebsd bsd)
    # No lazy binding: a forked child that calls a function for the first time would ask the loader, whose lock may be
    # held by a thread that did not come along.
    set(system_options -fno-plt)
  else()
    message(FATAL_ERROR "Safehold does not know ${CMAKE_SYSTEM_NAME} yet: see SUPPORTED_PLATFORMS.md")
  endif()

  # One folder per processor, with the same file names in each: the source says #include "syscall_arch.h" or the
  # like and the search path decides. A processor without a folder of its own gets generic.
  set(arch generic)
  if(CMAKE_SIZEOF_VOID_P EQUAL 8)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
      set(arch x86_64)
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
      set(arch aarch64)
    elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "s390x")
      set(arch s390x)
    endif()
  endif()
  list(TRANSFORM system_folders PREPEND ${PROJECT_SOURCE_DIR}/src/unix/)
  set(SAFEHOLD_PRIVATE_INCLUDES ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/src/unix ${system_folders}
                                ${PROJECT_SOURCE_DIR}/src/unix/arch/${arch})
endif()
list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/src/)

set(raw_sources ${SAFEHOLD_RAW_SOURCES})
list(TRANSFORM raw_sources PREPEND ${PROJECT_SOURCE_DIR}/src/)
if(raw_sources AND NOT MSVC)
  set_source_files_properties(${raw_sources} PROPERTIES COMPILE_OPTIONS
                                                        "-fno-stack-protector;-fno-sanitize=all;$<$<PLATFORM_ID:FreeBSD>:-fno-plt>")
endif()

# The library's own headers are found by #include "..." only: as a folder for <...> too, src/ would put a file of ours
# in the place of a system header of the same name (Windows has a <process.h>).
function(safehold_private_headers target)
  foreach(folder IN LISTS SAFEHOLD_PRIVATE_INCLUDES ARGN)
    if(MSVC)
      target_include_directories(${target} PRIVATE ${folder})
    else()
      target_compile_options(${target} PRIVATE -iquote${folder})
    endif()
  endforeach()
endfunction()

function(safehold_library target kind export_name)
  add_library(${target} ${kind} ${sources})
  safehold_target(${target})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME safehold EXPORT_NAME ${export_name}
                                             POSITION_INDEPENDENT_CODE ON)
  target_include_directories(
    ${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_options(${target} PRIVATE ${system_options})
  safehold_private_headers(${target})
  if(NOT WIN32)
    target_link_libraries(${target} PRIVATE Threads::Threads)
  endif()
endfunction()

safehold_library(safehold_static STATIC static)
add_library(safehold::static ALIAS safehold_static)
if(MSVC)
  # The import library of the DLL is already called safehold.lib.
  set_target_properties(safehold_static PROPERTIES OUTPUT_NAME safehold_static)
endif()

if(SAFEHOLD_BUILD_SHARED)
  safehold_library(safehold SHARED shared)
  add_library(safehold::shared ALIAS safehold)
  # While the major number is 0 every minor number is an ABI of its own.
  set_target_properties(safehold PROPERTIES VERSION ${PROJECT_VERSION}
                                            SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_definitions(safehold PRIVATE SAFE_BUILDING_SHARED INTERFACE SAFE_USING_SHARED)
endif()

if(BUILD_SHARED_LIBS AND SAFEHOLD_BUILD_SHARED)
  add_library(safehold::safehold ALIAS safehold)
else()
  add_library(safehold::safehold ALIAS safehold_static)
endif()

if(APPLE)
  include(${CMAKE_CURRENT_LIST_DIR}/trampoline.cmake)
endif()
