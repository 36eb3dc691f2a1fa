#!/bin/sh
# Many short lines and empty ones for the log.
yes x | head -c 400000 >&2
yes '' | head -c 400000 >&2
printf 'Content-Type: text/plain\r\n\r\nafter the flood\n'
