# SPDX-License-Identifier: MIT
# What every target of this project is compiled with: one function, applied to a target, never to a directory,
# so that a project which contains this one keeps its own flags.

find_package(Threads REQUIRED)

set(SAFEHOLD_DEFINITIONS)
if(WIN32)
  list(APPEND SAFEHOLD_DEFINITIONS _WIN32_WINNT=0x0A00 WIN32_LEAN_AND_MEAN UNICODE _UNICODE)
  if(MINGW)
    # Without it printf is msvcrt's, which knows neither %zu nor %lld.
    list(APPEND SAFEHOLD_DEFINITIONS __USE_MINGW_ANSI_STDIO=1)
  else()
    list(APPEND SAFEHOLD_DEFINITIONS _CRT_SECURE_NO_WARNINGS)
  endif()
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  list(APPEND SAFEHOLD_DEFINITIONS _GNU_SOURCE _FILE_OFFSET_BITS=64)
elseif(APPLE)
  list(APPEND SAFEHOLD_DEFINITIONS _DARWIN_C_SOURCE)
endif()

set(SAFEHOLD_WARNINGS)
if(PROJECT_IS_TOP_LEVEL)
  if(MSVC)
    set(SAFEHOLD_WARNINGS /W3)
  else()
    set(SAFEHOLD_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes)
  endif()
endif()
if(SAFEHOLD_WERROR)
  list(APPEND SAFEHOLD_WARNINGS "$<IF:$<C_COMPILER_ID:MSVC>,/WX,-Werror>")
endif()

function(safehold_target target)
  set_target_properties(
    ${target}
    PROPERTIES C_STANDARD 11
               C_STANDARD_REQUIRED ON
               C_EXTENSIONS OFF
               C_VISIBILITY_PRESET hidden)
  target_compile_definitions(${target} PRIVATE ${SAFEHOLD_DEFINITIONS})
  target_compile_options(${target} PRIVATE ${SAFEHOLD_WARNINGS})
  if(SAFEHOLD_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${SAFEHOLD_SANITIZE} -fno-sanitize-recover=all
                                             -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${SAFEHOLD_SANITIZE})
  endif()
endfunction()
