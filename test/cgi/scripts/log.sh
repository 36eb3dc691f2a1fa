#!/bin/sh
printf 'a word for the log\nno line end, and an escape: \033[2J' >&2
printf 'Content-Type: text/plain\r\n\r\nlogged\n'
