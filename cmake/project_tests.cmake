# SPDX-License-Identifier: MIT
# Tests of the package and of the source tree, in the one build that asks for them.

if(SAFEHOLD_TEST_PROJECT)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND SAFEHOLD_BUILD_SHARED)
    add_subdirectory(${PROJECT_SOURCE_DIR}/test/consumer)
  endif()
  add_test(NAME lint.format COMMAND sh ${PROJECT_SOURCE_DIR}/tools/format.sh --check)
  set_tests_properties(lint.format PROPERTIES LABELS lint SKIP_RETURN_CODE 77 TIMEOUT 120)
  add_test(NAME lint.tidy COMMAND sh ${PROJECT_SOURCE_DIR}/tools/tidy.sh)
  set_tests_properties(lint.tidy PROPERTIES LABELS "lint;long" TIMEOUT 600 RUN_SERIAL ON)
endif()
