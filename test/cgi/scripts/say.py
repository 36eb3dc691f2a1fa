#!/usr/bin/python3 -IS
# Answers with exactly the bytes that its query has in hexadecimal digits.
import os

answer = bytes.fromhex(os.environ["QUERY_STRING"])
while answer:
    answer = answer[os.write(1, answer) :]
