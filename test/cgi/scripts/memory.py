#!/usr/bin/python3 -IS
# Asks for as many mebibytes as its query says.
import os

block = bytearray(int(os.environ["QUERY_STRING"]) << 20)
print("Content-Type: text/plain\r\n\r\ngot them")
