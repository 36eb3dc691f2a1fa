/* SPDX-License-Identifier: MIT */
#include "script_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PREFIX = sizeof("/cgi-bin/") - 1 };

void script_place_free(struct script_place *place) {
  free(place->file);
  free(place->folder);
  free(place->name);
  memset(place, 0, sizeof(*place));
}

static bool keep(struct script_place *place, char *file, const char *path, size_t name_length) {
  char *slash = strrchr(file, '/');

  place->file = file;
  place->folder = strndup(file, slash == file ? 1 : (size_t)(slash - file));
  place->name = strndup(path, name_length);
  place->path_info = path + name_length;
  place->raw = strncmp(slash + 1, "nph-", 4) == 0;
  return place->folder != NULL && place->name != NULL;
}

int script_find(struct script_place *place, const char *cgi_bin, const char *path) {
  const char *rest = path + PREFIX; /* the names that are not looked at yet */
  size_t base = strlen(cgi_bin);
  char *file = malloc(base + strlen(path) + 2);
  struct stat status;

  memset(place, 0, sizeof(*place));
  if (file == NULL) return 503;
  memcpy(file, cgi_bin, base);
  do {
    size_t length = strcspn(rest, "/");
    int code;

    file[base++] = '/';
    memcpy(file + base, rest, length);
    base += length;
    file[base] = '\0';
    rest += length;
    code = length == 0 ? 404 : lstat(file, &status) == 0 ? 0 : errno == EACCES ? 403 : 404;
    if (code == 0 && S_ISDIR(status.st_mode)) continue;
    if (code == 0 && (!S_ISREG(status.st_mode) || (status.st_mode & 0111) == 0)) code = 403;
    if (code == 0 && keep(place, file, path, (size_t)(rest - path))) return 0;
    if (place->file == NULL) free(file);
    script_place_free(place);
    return code == 0 ? 503 : code;
  } while (*rest++ == '/');
  free(file);
  return 404;
}
