#!/bin/sh
# Says who it is, and hangs before it has answered.
echo $$ >../notes/hang
exec sleep 1000
