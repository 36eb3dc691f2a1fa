#!/bin/sh
# Answers, and leaves a daemon in a session of its own that keeps standard error open.
printf 'Content-Type: text/plain\r\n\r\nanswered\n'
setsid sh -c 'echo $$ >../notes/daemon; exec sleep 1000 >/dev/null' >/dev/null &
while [ ! -s ../notes/daemon ]; do sleep 0.02; done
