#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/demo.sh: builds the library and plays the story it exists for: a web server that holds a session file's lock
# and starts rrdtool through a shell. Leaves session_story.png, the picture that rrdtool drew, in the top folder. Where
# PHP is installed, the same with PHP behind a web server, unmodified, without and with the extension.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"
cd "$root"

need_packages rrdtool fonts-dejavu-core
sh tools/build.sh native

rm -f session_story.png
status=0
build/native/examples/session_story || status=$?
if [ "$status" -ne 0 ]; then
  die "the story ended badly: exit status $status"
elif [ ! -s session_story.png ]; then
  die "the story ended well but left no session_story.png"
fi

if command -v php >/dev/null; then
  need_packages python3
  sh tools/build.sh php
  python3 test/php/story/tell.py build/php/safehold.so build/native/examples/cgi_server || die "the story in PHP ended badly"
else
  echo "there is no PHP here: its story is left out"
fi
echo "demo: passed; the picture is session_story.png"
