#!/bin/sh
# Closes its output and works on for a while.
echo $$ >../notes/mute
printf 'Content-Type: text/plain\r\n\r\nclosed\n'
exec >&- 2>&-
sleep 0.5
echo done >../notes/mute_done
