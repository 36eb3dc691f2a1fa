#!/bin/sh
printf 'Content-Type: application/octet-stream\r\n\r\n'
echo $$ >../notes/flood
exec cat /dev/zero
