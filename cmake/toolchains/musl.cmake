# SPDX-License-Identifier: MIT
# Linux with musl, linked statically, on this machine's own processor: runs without an emulator.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})

set(CMAKE_C_COMPILER musl-gcc)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)

set(CMAKE_FIND_ROOT_PATH /usr/lib/musl)
include(${CMAKE_CURRENT_LIST_DIR}/find-in-root.cmake)

# musl-gcc does not search the kernel's headers. They are linked into a folder of their own, because the folders
# they lie in hold another libc's headers as well.
get_filename_component(uapi ${CMAKE_CURRENT_LIST_DIR}/../../build/tools/musl-uapi ABSOLUTE)
file(MAKE_DIRECTORY ${uapi})
foreach(name linux asm-generic)
  file(CREATE_LINK /usr/include/${name} ${uapi}/${name} SYMBOLIC)
endforeach()
file(CREATE_LINK /usr/include/${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu/asm ${uapi}/asm SYMBOLIC)
set(CMAKE_C_FLAGS_INIT "-idirafter ${uapi}")
