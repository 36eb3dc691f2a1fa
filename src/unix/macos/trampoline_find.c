/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trampoline.h"

#define FOLDER_BYTES 1024

bool safe__trampoline_needed(const struct safe__plan *plan) {
  return plan->terminal >= 0 || plan->changes_user || plan->umask >= 0 || plan->limit_count > 0;
}

/* The program or shared library that this code is in. */
struct image {
  char folder[FOLDER_BYTES]; /* "": it cannot be told */
  uid_t owner;
};

static void find_image(struct image *image) {
  const char *slash;
  struct stat status;
  Dl_info info;

  image->folder[0] = '\0';
  image->owner = 0;
  if (dladdr((const void *)&safe_code_name, &info) == 0 || info.dli_fname == NULL || info.dli_fname[0] != '/') return;
  slash = strrchr(info.dli_fname, '/');
  if (slash - info.dli_fname >= FOLDER_BYTES || stat(info.dli_fname, &status) != 0) return;
  memcpy(image->folder, info.dli_fname, (size_t)(slash - info.dli_fname));
  image->folder[slash - info.dli_fname] = '\0';
  image->owner = status.st_uid;
}

/* Nobody may have put it there, or change it, who could not do as much to this very code: it is given the host's
   rights. A host that is not root trusts the group that somebody has let write to his own. */
static bool is_ours_to_trust(const struct image *image, const char *path) {
  mode_t others = geteuid() == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;
  struct stat status;

  return stat(path, &status) == 0 && (status.st_mode & others) == 0 &&
         (status.st_uid == 0 || status.st_uid == geteuid() || status.st_uid == image->owner);
}

/* The file, and the folder that it is in. */
static bool can_be_used(const struct image *image, char *path) {
  char *slash = strrchr(path, '/');
  bool good;

  if (access(path, X_OK) != 0 || !is_ours_to_trust(image, path)) return false;
  *slash = '\0';
  good = is_ours_to_trust(image, path);
  *slash = '/';
  return good;
}

/* Beside the library or the program first, as the whole of what is installed may be moved; then where it was to be
   installed. Never by an environment variable: the child's user may be changed by it. */
int safe__trampoline_find(char *path, size_t size, safe_error *error) {
  static const char *const places[] = {"/../libexec/" SAFE__TRAMPOLINE, "/libexec/" SAFE__TRAMPOLINE,
                                       "/" SAFE__TRAMPOLINE};
  struct image image;
  size_t at;

  find_image(&image);
  for (at = 0; image.folder[0] != '\0' && at < sizeof(places) / sizeof(places[0]); at++)
    if (snprintf(path, size, "%s%s", image.folder, places[at]) < (int)size && can_be_used(&image, path)) return SAFE_OK;
  if (snprintf(path, size, "%s", SAFE__TRAMPOLINE_PATH) < (int)size && can_be_used(&image, path)) return SAFE_OK;
  return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_PREPARE, -1,
                    "What is asked for needs the program %s, which is installed with the library: it is neither there "
                    "nor at %s, or somebody else may write to it.",
                    SAFE__TRAMPOLINE, SAFE__TRAMPOLINE_PATH);
}
