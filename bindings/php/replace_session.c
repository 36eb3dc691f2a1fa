/* SPDX-License-Identifier: MIT */
/*
 * PHP looks its save handlers up by name, the first match wins, and its own "files" is the first: its functions are
 * replaced where they stand. The struct is const, and lies where the dynamic linker made memory read-only (RELRO).
 */
#include "replace.h"

#include "session.h"

#ifndef PHP_WIN32
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

static ps_module *files;
static ps_module original;

#ifdef PHP_WIN32

static bool put(const ps_module *module) {
  DWORD before;

  if (!VirtualProtect(files, sizeof(*files), PAGE_READWRITE, &before)) return false;
  *files = *module;
  return VirtualProtect(files, sizeof(*files), before, &before) != 0;
}

#else

struct place {
  uintptr_t begin, end;
  int protection; /* negative: not found */
};

static bool covers(const struct dl_phdr_info *object, const ElfW(Phdr) * part, const struct place *place) {
  uintptr_t begin = object->dlpi_addr + part->p_vaddr;

  return place->begin >= begin && place->end <= begin + part->p_memsz;
}

static int look_into(struct dl_phdr_info *object, size_t size, void *context) {
  struct place *place = context;
  bool read_only = false;
  int at;

  (void)size;
  for (at = 0; at < object->dlpi_phnum; at++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[at];

    if ((part->p_type != PT_LOAD && part->p_type != PT_GNU_RELRO) || !covers(object, part, place)) continue;
    if (part->p_type == PT_GNU_RELRO)
      read_only = true;
    else
      place->protection = (part->p_flags & PF_W) != 0 ? PROT_READ | PROT_WRITE : PROT_READ;
  }
  if (place->protection >= 0 && read_only) place->protection = PROT_READ;
  return place->protection >= 0;
}

/* Other things lie in the same pages: they get the protection that they had. */
static bool put(const ps_module *module) {
  struct place place = {(uintptr_t)files, (uintptr_t)(files + 1), -1};
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t first = place.begin / page * page, last = (place.end + page - 1) / page * page;

  dl_iterate_phdr(look_into, &place);
  if (place.protection < 0 || mprotect((void *)first, last - first, PROT_READ | PROT_WRITE) != 0) return false;
  *files = *module;
  return mprotect((void *)first, last - first, place.protection) == 0;
}

#endif

static zend_result apply_session(void) {
  ps_module replaced = safehold_session_module;

  if (!safehold_has_sessions()) return FAILURE;
  files = (ps_module *)(uintptr_t)_php_find_ps_module("files");
  if (files == NULL) return FAILURE;
  original = *files;
  replaced.s_name = original.s_name;
  if (put(&replaced)) return SUCCESS;
  zend_error(E_CORE_WARNING,
             "safehold.replace: the memory with PHP's session handler \"files\" cannot be made writable");
  return FAILURE;
}

static void undo_session(void) { put(&original); }

const struct safehold_replacement safehold_replacement_session = {"session", apply_session, undo_session};
