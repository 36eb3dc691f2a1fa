#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\nnever read it\n'
