/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <sys/stat.h>

#include "support.h"

void make_folder(const char *path) { assert_int_equal(mkdir(path, 0755), 0); }

bool on_wine(void) { return false; }

int count_handles(void) {
  DIR *folder = opendir("/dev/fd");
  int count = 0;

  assert_non_null(folder);
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}
