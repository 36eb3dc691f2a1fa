#!/bin/sh
# Answers, and reads its body only then.
printf 'Content-Type: text/plain\r\n\r\nearly\n'
sum=$(sha256sum)
printf '%s\n' "${sum%% *}"
