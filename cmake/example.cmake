# SPDX-License-Identifier: MIT

function(safehold_add_example)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;EXPECT;TIMEOUT" "SOURCES;LIBS;ARGS;SYSTEMS")
  if(arg_SYSTEMS AND NOT CMAKE_SYSTEM_NAME IN_LIST arg_SYSTEMS)
    return()
  endif()
  if(NOT arg_SOURCES)
    set(arg_SOURCES ${arg_NAME}.c)
  endif()
  if(NOT arg_EXPECT)
    set(arg_EXPECT "[^ \n]")
  endif()
  add_executable(example_${arg_NAME} ${arg_SOURCES})
  safehold_target(example_${arg_NAME})
  set_target_properties(example_${arg_NAME} PROPERTIES OUTPUT_NAME ${arg_NAME})
  target_link_libraries(example_${arg_NAME} PRIVATE safehold_static ${arg_LIBS})
  if(SAFEHOLD_BUILD_TESTS)
    safehold_register_test(
      TARGET example_${arg_NAME}
      NAME example.${arg_NAME}
      EXPECT "${arg_EXPECT}"
      ARGS ${arg_ARGS}
      TIMEOUT "${arg_TIMEOUT}")
  endif()
endfunction()
