#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/wine.sh PROGRAM.exe [ARGUMENT...]: runs a Windows program under 64-bit Wine, silent and with a prefix of
# its own in build/wineprefix, which the first call makes.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

# Debian's wine64 package alone puts no command on the search path.
for wine in wine64 wine64-stable /usr/lib/wine/wine64 /usr/lib/x86_64-linux-gnu/wine/wine64 wine wine-stable; do
  if command -v "$wine" >/dev/null 2>&1; then break; fi
  wine=
done
if [ -z "$wine" ]; then
  echo "wine.sh: there is no 64-bit Wine on this machine" >&2
  exit 127
fi

WINEPREFIX=${SAFEHOLD_WINEPREFIX:-$root/build/wineprefix}
WINEDEBUG=${WINEDEBUG:--all}
WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe=' # neither .NET, nor a browser, nor entries in menus
WINEARCH=win64
export WINEPREFIX WINEDEBUG WINEDLLOVERRIDES WINEARCH
unset TMPDIR # with it in the environment Debian 13's Wine 10 aborts before the program starts: free(): invalid pointer

if [ ! -e "$WINEPREFIX/ready" ]; then
  mkdir -p "$WINEPREFIX"
  (
    flock 9
    if [ ! -e "$WINEPREFIX/ready" ]; then
      # Without the 32-bit half wineboot complains about it and still makes a good 64-bit prefix.
      if ! timeout 180 "$wine" wineboot --init >"$WINEPREFIX/log" 2>&1 </dev/null 9>&- ||
        [ ! -e "$WINEPREFIX/drive_c/windows/system32/kernel32.dll" ]; then
        echo "wine.sh: wineboot made no prefix; see $WINEPREFIX/log" >&2
        exit 126
      fi
      : >"$WINEPREFIX/ready"
    fi
  ) 9>"$WINEPREFIX/lock"
fi

exec "$wine" "$@"
