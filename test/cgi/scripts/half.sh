#!/bin/sh
printf 'Content-Type: text/pl'
