#!/bin/sh
printf 'X-Long: '
exec cat /dev/zero
