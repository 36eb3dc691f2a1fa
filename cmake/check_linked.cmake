# SPDX-License-Identifier: MIT
# Looks at the first bytes of a linked PROGRAM: is it one for SYSTEM and PROCESSOR?

file(READ ${PROGRAM} head LIMIT 20 HEX)
set(expected none)
if(SYSTEM STREQUAL "Darwin" AND PROCESSOR STREQUAL "arm64")
  # 64-bit Mach-O, processor type arm64, any subtype, an executable
  set(expected "^cffaedfe0c000001........02000000")
elseif(SYSTEM STREQUAL "FreeBSD" AND PROCESSOR STREQUAL "x86_64")
  # 64-bit little-endian ELF, executable or position-independent, processor x86-64
  set(expected "^7f454c460201....................0[23]003e00")
  # Several systems share that; the loader it asks for is FreeBSD's.
  file(STRINGS ${PROGRAM} loader REGEX "^/libexec/ld-elf\\.so\\.1$" LIMIT_COUNT 1)
  if(NOT loader)
    message(FATAL_ERROR "${PROGRAM} does not ask for FreeBSD's loader")
  endif()
endif()
if(NOT head MATCHES "${expected}")
  message(FATAL_ERROR "${PROGRAM} begins with ${head}: not a program for ${SYSTEM} on ${PROCESSOR}")
endif()
message("${PROGRAM} is a program for ${SYSTEM} on ${PROCESSOR}")
