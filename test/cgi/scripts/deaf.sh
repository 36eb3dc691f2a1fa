#!/bin/sh
# Closes what it could read, and answers later.
exec <&-
sleep 0.3
printf 'Content-Type: text/plain\r\n\r\ndid not read\n'
