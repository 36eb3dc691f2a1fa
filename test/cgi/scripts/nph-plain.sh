#!/bin/sh
printf 'HTTP/1.1 299 Unparsed\r\nContent-Length: 4\r\nX-Made-By: script\r\nConnection: close\r\n\r\nraw\n'
