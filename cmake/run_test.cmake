# SPDX-License-Identifier: MIT
# Runs one test program in a private folder and decides whether to believe it.
#
# A program passes when it exits with 0, says nothing of failures, and has printed what proves that it ran to its
# end: for a CMocka program one "PASSED" line for every group it began, otherwise the text EXPECT. An emulator that
# runs nothing, and a program that leaves in the middle with exit(0), both fail. On Linux it also fails when a
# process that it started is still alive after it.
#
# In: NAME PROGRAM ARGS DRIVER (what runs PROGRAM: an emulator, valgrind or nothing) HELPER SAFEHOLD_COMMAND
#     SLOWNESS LIMIT (seconds) EXPECT SYSTEM (the one PROGRAM is for)

set(linux_host FALSE)
if(CMAKE_HOST_SYSTEM_NAME STREQUAL "Linux")
  set(linux_host TRUE)
endif()

# The private folder, short enough for the name of a socket in it.
if(CMAKE_HOST_WIN32)
  string(RANDOM LENGTH 12 suffix)
  file(TO_CMAKE_PATH "$ENV{TEMP}/safehold-${suffix}" folder)
  file(MAKE_DIRECTORY ${folder})
else()
  execute_process(COMMAND mktemp -d "/tmp/safehold-XXXXXXXXXX" OUTPUT_VARIABLE folder COMMAND_ERROR_IS_FATAL ANY
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
file(MAKE_DIRECTORY ${folder}/work)

# A path as PROGRAM's system spells it. Wine shows the whole file system as drive Z.
function(spell variable path)
  if(path AND SYSTEM STREQUAL "Windows")
    if(NOT CMAKE_HOST_WIN32)
      set(path "Z:${path}")
    endif()
    string(REPLACE "/" "\\" path "${path}")
  endif()
  set(${variable} "${path}" PARENT_SCOPE)
endfunction()
spell(test_folder "${folder}/work")
spell(helper "${HELPER}")
spell(command "${SAFEHOLD_COMMAND}")

# A sanitizer's handlers for crashes would be seen by every test that looks at a child's signals or lets one crash.
# Without them a crash still fails the test, by its signal.
set(no_handlers handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0)

# To a file and not through a pipe: a forgotten grandchild must not be able to keep this script waiting.
execute_process(
  COMMAND
    ${CMAKE_COMMAND} -E env "SAFEHOLD_TEST_DIR=${test_folder}" "SAFEHOLD_TEST_HELPER=${helper}"
    "SAFEHOLD_COMMAND=${command}" "SAFEHOLD_TEST_SLOWNESS=${SLOWNESS}" "TMPDIR=${folder}/work"
    "ASAN_OPTIONS=${no_handlers}:$ENV{ASAN_OPTIONS}" "TSAN_OPTIONS=${no_handlers}:$ENV{TSAN_OPTIONS}" ${DRIVER}
    ${PROGRAM} ${ARGS}
  WORKING_DIRECTORY ${folder}/work
  TIMEOUT ${LIMIT}
  OUTPUT_FILE ${folder}/output
  ERROR_FILE ${folder}/output
  RESULT_VARIABLE result)

file(READ ${folder}/output output)
string(REPLACE "\r\n" "\n" output "\n${output}")
message("${output}")
set(faults)

if(NOT result STREQUAL "0")
  list(APPEND faults "it ended with: ${result}")
endif()

if(EXPECT)
  if(NOT output MATCHES "${EXPECT}")
    list(APPEND faults "its output does not match ${EXPECT}")
  endif()
else()
  string(REGEX MATCHALL "\n\\[==========\\] [^\n]*Running [0-9]+ test" groups "${output}")
  string(REGEX MATCHALL "\n\\[  PASSED  \\] [0-9]+ test" closings "${output}")
  list(LENGTH groups group_count)
  list(LENGTH closings closing_count)
  if(output MATCHES "\n\\[  FAILED  \\]")
    list(APPEND faults "it reports failures")
  endif()
  if(group_count EQUAL 0)
    list(APPEND faults "it ran no test")
  elseif(NOT group_count EQUAL closing_count)
    list(APPEND faults "it began ${group_count} groups of tests and closed ${closing_count}")
  endif()
  set(passed 0)
  foreach(line IN LISTS closings)
    string(REGEX MATCH "[0-9]+" number "${line}")
    math(EXPR passed "${passed} + ${number}")
  endforeach()
  set(skipped 0)
  string(REGEX MATCHALL "\n\\[  SKIPPED \\] [^\n]*[0-9]+ test\\(s\\)" skips "${output}")
  foreach(line IN LISTS skips)
    string(REGEX MATCH "([0-9]+) test\\(s\\)" number "${line}")
    math(EXPR skipped "${skipped} + ${CMAKE_MATCH_1}")
  endforeach()
endif()

# Whoever carries the folder's name in its environment was started by the test. Wine's own services do, too, and
# outlive every program by design. To read a process's environment is to wait for its memory, which another test's
# process on a dead file system may hold: hence the time limit.
if(linux_host AND NOT SYSTEM STREQUAL "Windows")
  set(survivors "")
  foreach(try RANGE 20)
    execute_process(COMMAND timeout 5 sh -c "grep -lsazx 'SAFEHOLD_TEST_DIR=${folder}/work' /proc/[0-9]*/environ"
                    OUTPUT_VARIABLE survivors ERROR_QUIET)
    if(NOT survivors)
      break()
    endif()
    execute_process(COMMAND ${CMAKE_COMMAND} -E sleep 0.1)
  endforeach()
  string(REGEX MATCHALL "/proc/[0-9]+" survivors "${survivors}")
  foreach(survivor IN LISTS survivors)
    execute_process(COMMAND cat ${survivor}/comm OUTPUT_VARIABLE name OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    list(APPEND faults "it left a process behind: ${name} (${survivor}), now killed")
    string(REPLACE "/proc/" "" pid ${survivor})
    execute_process(COMMAND kill -9 ${pid})
  endforeach()
endif()

file(REMOVE_RECURSE ${folder})

if(faults)
  list(JOIN faults "; " faults)
  message(FATAL_ERROR "run_test: ${NAME} failed: ${faults}")
endif()
if(NOT EXPECT)
  if(passed EQUAL 0)
    message("run_test: every test skipped: ${skipped} in ${NAME}")
  else()
    message("run_test: ${NAME}: ${passed} passed, ${skipped} skipped")
  endif()
endif()
