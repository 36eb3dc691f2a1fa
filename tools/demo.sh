#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/demo.sh: builds the library and plays the story it exists for: a web server that holds a session file's lock
# and starts rrdtool through a shell. Leaves session_story.png, the picture that rrdtool drew, in the top folder.
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
echo "demo: passed; the picture is session_story.png"
