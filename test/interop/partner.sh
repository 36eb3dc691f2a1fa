#!/bin/sh
# SPDX-License-Identifier: MIT
# sh partner.sh "" | --fcntl PATH: flock(1) as the other party of test_interop.c. See there for what is asked on stdin.
option=$1
path=$2

if ! command -v flock >/dev/null; then
  echo "missing: flock"
  exit 0
fi
if [ -n "$option" ] && ! flock --help | grep -q -e "$option"; then
  echo "missing: $option in $(flock --version)"
  exit 0
fi
echo "ready: $(flock --version | sed 's/.* //')"

while read -r verb mode; do
  if [ "$verb" = drop ]; then
    exec 9<&-
    echo dropped
    continue
  fi
  exec 9<>"$path"
  # shellcheck disable=SC2086 # an option, or none
  flock $option -n "-$mode" 9
  case $? in
  0) echo held ;;
  1) exec 9<&- && echo busy ;;
  *) echo "an error of flock's" ;;
  esac
done
