#!/bin/sh
# Sends the request on, and does not end.
echo $$ >../notes/sends_on
printf 'Location: /cgi-bin/slow.sh?0.5\n\n'
exec sleep 1000
