# SPDX-License-Identifier: MIT
# The PHP extension: phpize, configure and make in a copy of bindings/php, linked to this build's static core; its tests.
# -DSAFEHOLD_PHP_CONFIG=FILE chooses another PHP than the one on PATH.

find_program(SAFEHOLD_PHP_CONFIG php-config REQUIRED)
foreach(question prefix php-binary extension-dir)
  execute_process(COMMAND ${SAFEHOLD_PHP_CONFIG} --${question} OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE - _ name "php_${question}")
  set(${name} "${answer}")
endforeach()
find_program(SAFEHOLD_PHPIZE phpize HINTS ${php_prefix}/bin NO_CMAKE_SYSTEM_PATH NO_SYSTEM_ENVIRONMENT_PATH REQUIRED)
find_program(SAFEHOLD_MAKE make REQUIRED)

set(php_source ${PROJECT_SOURCE_DIR}/bindings/php)
set(php_ext ${PROJECT_BINARY_DIR}/ext)
set(php_module ${PROJECT_BINARY_DIR}/safehold.so)
file(GLOB php_build_files CONFIGURE_DEPENDS ${php_source}/config.m4 ${php_source}/Makefile.frag)
file(GLOB php_code CONFIGURE_DEPENDS ${php_source}/*.c ${php_source}/*.h)
# A file that is added or removed means another list of objects, which only configure makes.
list(JOIN php_code "\n" php_code_names)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/ext-files CONTENT "${php_code_names}\n" @ONLY)

# PHP's own headers have unused parameters and compare signed with unsigned in inline functions.
set(php_cflags "-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare")
if(SAFEHOLD_WERROR)
  string(APPEND php_cflags " -Werror")
endif()
if(SAFEHOLD_SANITIZE)
  string(APPEND php_cflags " -fsanitize=${SAFEHOLD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer")
endif()

add_custom_command(
  OUTPUT ${php_ext}/Makefile
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${php_ext}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${php_ext}
  COMMAND ${CMAKE_COMMAND} -E copy ${php_build_files} ${php_code} ${php_ext}
  COMMAND ${CMAKE_COMMAND} -E chdir ${php_ext} ${SAFEHOLD_PHPIZE}
  COMMAND
    ${CMAKE_COMMAND} -E chdir ${php_ext} ./configure --quiet --with-php-config=${SAFEHOLD_PHP_CONFIG}
    --with-safehold-source=${PROJECT_SOURCE_DIR} --with-safehold-core=$<TARGET_FILE:safehold_static>
    "CC=${CMAKE_C_COMPILER}" "CFLAGS=-g -O2"
  DEPENDS ${php_build_files} ${PROJECT_BINARY_DIR}/ext-files
  COMMENT "Configuring the PHP extension"
  VERBATIM)
add_custom_command(
  OUTPUT ${php_module}
  COMMAND ${CMAKE_COMMAND} -E copy_if_different ${php_code} ${php_ext}
  COMMAND ${SAFEHOLD_MAKE} -C ${php_ext} -j2 -s "EXTRA_CFLAGS=${php_cflags}"
  COMMAND ${CMAKE_COMMAND} -E copy ${php_ext}/modules/safehold.so ${php_module}
  DEPENDS ${php_ext}/Makefile ${php_code} safehold_static
  COMMENT "Building the PHP extension"
  VERBATIM)
add_custom_target(safehold_php ALL DEPENDS ${php_module})

if(SAFEHOLD_SANITIZE)
  add_library(safehold_php_preload MODULE ${php_source}/tests/no_deepbind.c)
  set_target_properties(safehold_php_preload PROPERTIES PREFIX "" OUTPUT_NAME no_deepbind)
  target_compile_definitions(safehold_php_preload PRIVATE _GNU_SOURCE)
  target_link_libraries(safehold_php_preload PRIVATE ${CMAKE_DL_LIBS})
endif()

# One test for each area: the files tests/AREA_*.phpt.
enable_testing()
set(SAFEHOLD_TEST_PREFIX php CACHE STRING "Prefix of test names, and their CTest label")
set(SAFEHOLD_TEST_SLOWNESS 1 CACHE STRING "Factor on every time limit: more than 1 under a sanitizer")
option(SAFEHOLD_TEST_VALGRIND "Repeat each test under valgrind, where there is one" OFF)
# A file's area is the first word of its name.
file(GLOB files RELATIVE ${php_source}/tests CONFIGURE_DEPENDS ${php_source}/tests/*.phpt)
list(TRANSFORM files REPLACE "^([a-z]+)_.*" "\\1" OUTPUT_VARIABLE php_areas)
list(REMOVE_DUPLICATES php_areas)

function(safehold_php_test area variant)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "SLOWNESS" "OPTIONS;LABELS")
  math(EXPR limit "180 * ${arg_SLOWNESS}")
  add_test(NAME ${variant}.${area}
           COMMAND sh ${PROJECT_SOURCE_DIR}/tools/php_phpt.sh --name ${variant}.${area} ${arg_OPTIONS} ${php_module} ${area})
  set_tests_properties(
    ${variant}.${area} PROPERTIES LABELS "${variant};${arg_LABELS}" TIMEOUT ${limit} ENVIRONMENT
                                  "SAFEHOLD_TEST_SLOWNESS=${arg_SLOWNESS};PHP_CONFIG=${SAFEHOLD_PHP_CONFIG}")
endfunction()

foreach(area IN LISTS php_areas)
  if(SAFEHOLD_SANITIZE)
    safehold_php_test(${area} ${SAFEHOLD_TEST_PREFIX} SLOWNESS ${SAFEHOLD_TEST_SLOWNESS} OPTIONS --sanitized)
  else()
    safehold_php_test(${area} ${SAFEHOLD_TEST_PREFIX} SLOWNESS ${SAFEHOLD_TEST_SLOWNESS})
  endif()
  if(SAFEHOLD_TEST_VALGRIND)
    safehold_php_test(${area} php-valgrind SLOWNESS 10 OPTIONS --valgrind LABELS valgrind long)
  endif()
endforeach()
if(SAFEHOLD_TEST_PREFIX STREQUAL "php")
  add_subdirectory(test/php)
  add_test(NAME php.arginfo COMMAND sh ${PROJECT_SOURCE_DIR}/tools/php_arginfo.sh --check)
  set_tests_properties(php.arginfo PROPERTIES LABELS php TIMEOUT 60)
  add_test(NAME php.zts COMMAND sh ${PROJECT_SOURCE_DIR}/tools/php_zts.sh) # PHP with threads, from its source
  set_tests_properties(php.zts PROPERTIES LABELS "php;long" TIMEOUT 3600 PROCESSORS 2 RESOURCE_LOCK php_source)
endif()
