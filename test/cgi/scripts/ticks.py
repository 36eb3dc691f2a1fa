#!/usr/bin/python3 -IS
# One line, then the next when the client has sent a byte for it: only streaming in both directions brings it to an end.
import os

os.write(1, b"Content-Type: text/plain\r\n\r\nbegin\n")
while piece := os.read(0, 1):
    os.write(1, b"got " + piece + b"\n")
os.write(1, b"end\n")
