#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\nfirst\n'
echo $$ >../notes/hang_body
exec sleep 1000
