#!/bin/sh
printf 'Content-Type: text/plain\r\n'
exec yes 'X-More: and more'
