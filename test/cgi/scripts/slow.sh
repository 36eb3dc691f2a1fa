#!/bin/sh
# Takes as long as its query says.
sleep "$QUERY_STRING"
printf 'Content-Type: text/plain\r\n\r\nslow\n'
