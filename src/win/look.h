/* SPDX-License-Identifier: MIT */
/* What is kept from one look to the next (look_process.c). */
#ifndef SAFEHOLD_WIN_LOOK_H
#define SAFEHOLD_WIN_LOOK_H

#include "processes.h"

struct safe__look {
  struct safe__win_processes all; /* as they were at the first question about one of them */
  char *path;                     /* that was asked for, or NULL */
  struct safe__file_id id;        /* of the file there */
};

/* The scene's, made if it has none; NULL without memory. */
struct safe__look *safe__win_look(struct safe__scene *scene);

#endif
