#!/bin/sh
# Hangs with a child and a grandchild, in its group.
sh -c 'sleep 1000 & echo $! >../notes/grandchild; wait' &
echo $! >../notes/child
wait
