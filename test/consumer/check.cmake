# SPDX-License-Identifier: MIT
# In: BUILD SOURCE VERSION GENERATOR CC NM LIBDIR UV (whether the adapter is installed)

execute_process(COMMAND mktemp -d /tmp/safehold-XXXXXXXXXX OUTPUT_VARIABLE folder COMMAND_ERROR_IS_FATAL ANY
                OUTPUT_STRIP_TRAILING_WHITESPACE)

function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result STREQUAL "0")
    file(REMOVE_RECURSE ${folder})
    message("${output}")
    message(FATAL_ERROR "${what}: ended with ${result}")
  endif()
  message("${what}: ok")
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Moved after the installation, so that an absolute path left in the package is found out.
run("install" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${folder}/first)
file(RENAME ${folder}/first ${folder}/prefix)
set(libraries ${folder}/prefix/${LIBDIR})
run("the installed command" ${folder}/prefix/bin/safehold --version)

string(REGEX MATCH "^[0-9]+\\.[0-9]+" wanted ${VERSION})
run("find_package, configure" ${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE}/test/consumer/package
    -B ${folder}/package -DCMAKE_PREFIX_PATH=${folder}/prefix -DWANTED=${wanted} -DCMAKE_C_COMPILER=${CC}
    -DWANTS_UV=${UV})
run("find_package, build and run" ${CMAKE_COMMAND} --build ${folder}/package)

run("subproject, configure" ${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE}/test/consumer/subproject
    -B ${folder}/subproject -DSAFEHOLD_SOURCE=${SOURCE} -DCMAKE_C_COMPILER=${CC})
run("subproject, build and run" ${CMAKE_COMMAND} --build ${folder}/subproject)

find_program(PKG_CONFIG NAMES pkg-config pkgconf)
if(PKG_CONFIG)
  set(ENV{PKG_CONFIG_PATH} ${libraries}/pkgconfig)
  run("pkg-config" ${PKG_CONFIG} --cflags --libs safehold)
  separate_arguments(flags UNIX_COMMAND "${output}")
  run("pkg-config, build" ${CC} ${SOURCE}/test/consumer/use.c -o ${folder}/use_pc ${flags})
  if(UV)
    run("pkg-config of the adapter" ${PKG_CONFIG} --cflags --libs safehold-uv)
    separate_arguments(flags UNIX_COMMAND "${output}")
    run("pkg-config, build the adapter's use" ${CC} ${SOURCE}/test/consumer/use_uv.c -o ${folder}/use_uv_pc ${flags})
    run("pkg-config, run the adapter's use" ${CMAKE_COMMAND} -E chdir ${folder} ${CMAKE_COMMAND} -E env
        LD_LIBRARY_PATH=${libraries} ${folder}/use_uv_pc ${VERSION})
  endif()
  run("pkg-config, version" ${PKG_CONFIG} --modversion safehold)
  string(STRIP "${output}" output)
  run("pkg-config, run" ${CMAKE_COMMAND} -E env LD_LIBRARY_PATH=${libraries} ${folder}/use_pc ${output})
else()
  message("pkg-config: skipped, it is not installed")
endif()

# What the shared library shows to the world: safe_ and nothing else, and of that nothing internal.
run("nm" ${NM} -D --defined-only --format=posix ${libraries}/libsafehold.so)
string(REGEX MATCHALL "[^\n]+" lines "${output}")
list(TRANSFORM lines REPLACE " .*" "" OUTPUT_VARIABLE symbols)
set(strangers ${symbols})
list(FILTER strangers EXCLUDE REGEX "^safe_[^_]")
list(FILTER symbols INCLUDE REGEX "^safe_[^_]")
file(REMOVE_RECURSE ${folder})
if(strangers OR NOT symbols)
  message(FATAL_ERROR "the shared library exports ${symbols} and, wrongly, ${strangers}")
endif()
list(LENGTH symbols count)
message("exported symbols: ${count}, all of them safe_*")
