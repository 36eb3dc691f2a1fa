#!/bin/sh
# Dies by a signal: before it has answered, or with a "body" in its query in the middle.
if [ "$QUERY_STRING" = body ]; then
  printf 'Content-Type: text/plain\r\n\r\npart of it\n'
  sleep 0.2
fi
kill -SEGV $$
