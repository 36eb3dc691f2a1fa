# SPDX-License-Identifier: MIT
# Which files make the library. A file is one mechanism; the build chooses it here, so that the file itself needs
# no #if. Paths are relative to src/. A file for one system is named in that system's list and nowhere else.

# Every system.
set(SAFEHOLD_PORTABLE_SOURCES
  version.c
)

# Every Unix, then what only one of them has.
set(SAFEHOLD_UNIX_SOURCES
)
set(SAFEHOLD_LINUX_SOURCES
)
set(SAFEHOLD_MACOS_SOURCES
)
set(SAFEHOLD_FREEBSD_SOURCES
)

# Unixes that are none of the three above.
set(SAFEHOLD_OTHER_UNIX_SOURCES
)

set(SAFEHOLD_WIN_SOURCES
)

# Files named above whose code runs in a clone'd helper on the caller's memory. They are compiled without stack
# protector and sanitizers: both reach for thread-local or shadow state that belongs to the thread that waits.
set(SAFEHOLD_RAW_SOURCES
)
