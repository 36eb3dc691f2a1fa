#!/bin/sh
# Waits for a lock that somebody else has.
exec 9>>../notes/session
echo $$ >../notes/waiter
flock 9
printf 'Content-Type: text/plain\r\n\r\nlocked\n'
