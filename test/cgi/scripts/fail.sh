#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\nall of it\n'
exit 3
