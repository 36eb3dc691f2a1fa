#!/bin/sh
# Reads its body to the end, and says what its digest is.
sum=$(sha256sum)
printf 'Content-Type: text/plain\r\n\r\n%s\n' "${sum%% *}"
