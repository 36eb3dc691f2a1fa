# SPDX-License-Identifier: MIT
# How tests are built and registered. Every test goes through cmake/run_test.cmake, which believes a program only
# when its exit code and its own closing lines agree.

set(prefix_default native)
if(CMAKE_CROSSCOMPILING)
  string(TOLOWER "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}" prefix_default)
endif()
set(SAFEHOLD_TEST_PREFIX ${prefix_default} CACHE STRING "Prefix of test names, and their CTest label")
set(SAFEHOLD_TEST_SLOWNESS 1 CACHE STRING "Factor on every time limit: more than 1 under an emulator or sanitizer")
option(SAFEHOLD_TEST_RUN "Run the tests; OFF, for a system that cannot run here, looks at what was linked" ON)
option(SAFEHOLD_TEST_VALGRIND "Repeat each test under valgrind, where there is one" OFF)
option(SAFEHOLD_TEST_PROJECT "Test the installed package and the source tree as well" OFF)

if(SAFEHOLD_TEST_VALGRIND)
  find_program(SAFEHOLD_VALGRIND valgrind)
  if(NOT SAFEHOLD_VALGRIND)
    message(STATUS "No valgrind on this machine: no test is repeated under it")
  endif()
endif()

# The child program of the tests, and what they share.
if(WIN32)
  set(side win)
else()
  set(side unix)
endif()
add_executable(safehold_test_helper ${PROJECT_SOURCE_DIR}/test/helper.c ${PROJECT_SOURCE_DIR}/test/helper_${side}.c)
safehold_target(safehold_test_helper)
target_link_libraries(safehold_test_helper PRIVATE safehold_static)
set_target_properties(safehold_test_helper PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)

add_library(safehold_test_support STATIC ${PROJECT_SOURCE_DIR}/test/support.c
                                         ${PROJECT_SOURCE_DIR}/test/support_${side}.c)
safehold_target(safehold_test_support)
safehold_private_headers(safehold_test_support)
target_link_libraries(safehold_test_support PUBLIC safehold_static safehold_dep_cmocka)

# The path by which a test can start a program of this build. Under qemu-user the kernel cannot execute the foreign
# file, so that a script stands in for it; Wine executes Windows programs by itself.
function(safehold_child_path variable target)
  if(NOT TARGET ${target})
    set(${variable} "" PARENT_SCOPE)
  elseif(CMAKE_CROSSCOMPILING_EMULATOR AND NOT WIN32)
    set(script ${PROJECT_BINARY_DIR}/test/${target}.sh)
    get_property(made GLOBAL PROPERTY safehold_script_${target})
    if(NOT made)
      list(JOIN CMAKE_CROSSCOMPILING_EMULATOR "' '" emulator)
      file(GENERATE OUTPUT ${script} CONTENT "#!/bin/sh\nexec '${emulator}' '$<TARGET_FILE:${target}>' \"$@\"\n"
           FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
      set_property(GLOBAL PROPERTY safehold_script_${target} 1)
    endif()
    set(${variable} ${script} PARENT_SCOPE)
  else()
    set(${variable} $<TARGET_FILE:${target}> PARENT_SCOPE)
  endif()
endfunction()

# Registers a look at a program that cannot be run here: is it one of the system it was built for?
function(safehold_register_linked target name)
  add_test(NAME ${SAFEHOLD_TEST_PREFIX}.linked.${name}
           COMMAND ${CMAKE_COMMAND} "-DPROGRAM=$<TARGET_FILE:${target}>" "-DSYSTEM=${CMAKE_SYSTEM_NAME}"
                   "-DPROCESSOR=${CMAKE_SYSTEM_PROCESSOR}" -P ${PROJECT_SOURCE_DIR}/cmake/check_linked.cmake)
  set_tests_properties(${SAFEHOLD_TEST_PREFIX}.linked.${name} PROPERTIES LABELS ${SAFEHOLD_TEST_PREFIX} TIMEOUT 60)
endfunction()
if(NOT SAFEHOLD_TEST_RUN AND SAFEHOLD_BUILD_CLI)
  safehold_register_linked(safehold_command command)
endif()

# safehold_register_test(TARGET t NAME n [ARGS ...] [LABELS ...] [TIMEOUT s] [EXPECT regex] [LONG] [SERIAL]
#                        [DRIVER command ...] [NO_VALGRIND reason])
# Without EXPECT the program is a CMocka program. DRIVER: a command that is given the program and ARGS, and starts it.
function(safehold_register_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "LONG;SERIAL" "TARGET;NAME;TIMEOUT;EXPECT;NO_VALGRIND" "ARGS;DRIVER;LABELS")
  if(NOT SAFEHOLD_TEST_RUN)
    safehold_register_linked(${arg_TARGET} ${arg_NAME})
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(arg_LONG)
    list(APPEND arg_LABELS long)
  endif()
  safehold_child_path(helper safehold_test_helper)
  safehold_child_path(command safehold_command)

  set(variants ${SAFEHOLD_TEST_PREFIX})
  if(SAFEHOLD_VALGRIND AND arg_NO_VALGRIND)
    message(STATUS "valgrind.${arg_NAME} left out: ${arg_NO_VALGRIND}")
  elseif(SAFEHOLD_VALGRIND)
    list(APPEND variants valgrind)
  endif()

  foreach(variant IN LISTS variants)
    set(driver ${arg_DRIVER} ${CMAKE_CROSSCOMPILING_EMULATOR})
    set(slowness ${SAFEHOLD_TEST_SLOWNESS})
    if(variant STREQUAL "valgrind")
      set(driver ${SAFEHOLD_VALGRIND} --quiet --leak-check=full --error-exitcode=99
                 --errors-for-leak-kinds=definite,possible --trace-children=no)
      set(slowness 10)
    endif()
    set(labels ${variant} ${arg_LABELS})
    math(EXPR limit "${arg_TIMEOUT} * ${slowness}")
    math(EXPR backstop "${limit} + 30")
    add_test(
      NAME ${variant}.${arg_NAME}
      COMMAND
        ${CMAKE_COMMAND} "-DNAME=${variant}.${arg_NAME}" "-DDRIVER=${driver}"
        "-DPROGRAM=$<TARGET_FILE:${arg_TARGET}>" "-DARGS=${arg_ARGS}" "-DHELPER=${helper}"
        "-DSAFEHOLD_COMMAND=${command}" "-DSLOWNESS=${slowness}" "-DLIMIT=${limit}" "-DEXPECT=${arg_EXPECT}"
        "-DSYSTEM=${CMAKE_SYSTEM_NAME}" -P ${PROJECT_SOURCE_DIR}/cmake/run_test.cmake)
    set_tests_properties(
      ${variant}.${arg_NAME}
      PROPERTIES LABELS "${labels}"
                 TIMEOUT ${backstop}
                 RUN_SERIAL "${arg_SERIAL}"
                 SKIP_REGULAR_EXPRESSION "^run_test: every test skipped|\nrun_test: every test skipped")
  endforeach()
endfunction()

function(safehold_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "LONG;SERIAL" "NAME;TIMEOUT;NO_VALGRIND" "SOURCES;LIBS;LABELS;SYSTEMS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "safehold_add_test(${arg_NAME}): unknown ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_SYSTEMS AND NOT CMAKE_SYSTEM_NAME IN_LIST arg_SYSTEMS)
    return()
  endif()
  if(NOT arg_SOURCES)
    set(arg_SOURCES test_${arg_NAME}.c)
  endif()
  add_executable(test_${arg_NAME} ${arg_SOURCES})
  safehold_target(test_${arg_NAME})
  # Tests may look inside: they are linked to the static library, where the safe__ functions can be reached.
  safehold_private_headers(test_${arg_NAME})
  target_link_libraries(test_${arg_NAME} PRIVATE safehold_test_support ${arg_LIBS})
  if(NOT WIN32)
    target_link_libraries(test_${arg_NAME} PRIVATE Threads::Threads)
  endif()
  add_dependencies(test_${arg_NAME} safehold_test_helper)
  # Only what was given is passed on: an empty value is not the same to every CMake as none at all.
  set(passed_on)
  foreach(flag LONG SERIAL)
    if(arg_${flag})
      list(APPEND passed_on ${flag})
    endif()
  endforeach()
  foreach(keyword TIMEOUT NO_VALGRIND LABELS)
    if(arg_${keyword})
      list(APPEND passed_on ${keyword} ${arg_${keyword}})
    endif()
  endforeach()
  safehold_register_test(TARGET test_${arg_NAME} NAME ${arg_NAME} ${passed_on})
endfunction()
