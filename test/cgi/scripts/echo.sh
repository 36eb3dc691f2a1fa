#!/bin/sh
# Writes while it reads.
printf 'Content-Type: application/octet-stream\r\n\r\n'
exec cat
