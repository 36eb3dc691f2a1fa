#!/bin/sh
# Answers, and leaves a process in its group that holds nothing of it.
sleep 1000 </dev/null >/dev/null 2>&1 &
echo $! >../notes/leaves
printf 'Content-Type: text/plain\r\n\r\nanswered\n'
