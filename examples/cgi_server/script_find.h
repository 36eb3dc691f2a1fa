/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_SCRIPT_FIND_H
#define CGI_SERVER_SCRIPT_FIND_H

#include <stdbool.h>

/* Which script a path means, and what of the path is left for it. */
struct script_place {
  char *file;            /* an absolute path */
  char *folder;          /* where it lies */
  char *name;            /* SCRIPT_NAME: "/cgi-bin/a.cgi" */
  const char *path_info; /* "/x/y", or "" */
  bool raw;              /* it speaks to the client itself: its name begins with "nph-" */
};

/*
 * path begins with "/cgi-bin/". The first of its names below the folder that is no folder itself is the script. No
 * symbolic link is followed, so that nothing outside the folder is ever run. 0, or the status to refuse with. On
 * success script_place_free.
 */
int script_find(struct script_place *place, const char *cgi_bin, const char *path);
void script_place_free(struct script_place *place);

#endif
