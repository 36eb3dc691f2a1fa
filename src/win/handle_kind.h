/* SPDX-License-Identifier: MIT */
/* What a handle is of. */
#ifndef SAFEHOLD_WIN_HANDLE_KIND_H
#define SAFEHOLD_WIN_HANDLE_KIND_H

#include "look_calls.h"

/* The names of the kernel's types of objects, by the number that a table of handles has for them: no handle is touched
   to find them out. */
struct safe__win_type_names {
  char *bytes; /* NULL: not known */
  ULONG length;
};
void safe__win_type_names_get(struct safe__win_type_names *names);
void safe__win_type_names_free(struct safe__win_type_names *names);

/* The leak's kind and words from the type of its object; false: it is one of those that can be a file, a folder, a
   pipe, a socket or a device, and have to be asked. */
bool safe__win_kind_by_index(const struct safe__win_type_names *names, ULONG index, safe_leak *leak);
/* The same by a handle of this process. */
bool safe__win_kind_by_handle(HANDLE handle, safe_leak *leak);
/* Asks which of those it is, and how it is called. Waits for a synchronous handle that is busy, as long as that is. */
void safe__win_kind_ask(HANDLE handle, safe_leak *leak);

#endif
