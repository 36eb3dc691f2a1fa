#!/bin/sh
# Writes as many bytes as its query says, and is gone.
printf 'Content-Type: application/octet-stream\r\n\r\n'
echo $$ >../notes/burst
exec head -c "$QUERY_STRING" /dev/zero
