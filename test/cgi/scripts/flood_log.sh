#!/bin/sh
# Far more than any log should take from one script.
yes 'a line for the log' | head -c 64000000 >&2
printf 'Content-Type: text/plain\r\n\r\nafter the flood\n'
