/* SPDX-License-Identifier: MIT */
#include "mime.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

const char *mime_type(const char *path) {
  static const struct {
    const char *suffix, *type;
  } types[] = {
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"txt", "text/plain; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"xml", "application/xml"},
    {"svg", "image/svg+xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"avif", "image/avif"},
    {"ico", "image/vnd.microsoft.icon"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"pdf", "application/pdf"},
    {"wasm", "application/wasm"},
    {"gz", "application/gzip"},
    {"zip", "application/zip"},
    {"tar", "application/x-tar"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
  };
  const char *name = strrchr(path, '/'), *dot = strrchr(name == NULL ? path : name, '.');
  size_t at;

  for (at = 0; dot != NULL && at < sizeof(types) / sizeof(types[0]); at++)
    if (strcasecmp(dot + 1, types[at].suffix) == 0) return types[at].type;
  return "application/octet-stream";
}
