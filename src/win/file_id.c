/* SPDX-License-Identifier: MIT */
#include "file_id.h"

#include <string.h>

/* FileIdInfo has the 128 bits of ReFS; a file system that does not know it has the older 64. One file system always
   answers in the same way, so that the two never meet in a comparison. */
bool safe__win_file_id(HANDLE file, struct safe__file_id *id) {
  FILE_ID_INFO wide;
  BY_HANDLE_FILE_INFORMATION narrow;

  if (GetFileInformationByHandleEx(file, FileIdInfo, &wide, sizeof(wide))) {
    id->volume = wide.VolumeSerialNumber;
    memcpy(&id->low, &wide.FileId, sizeof(id->low));
    memcpy(&id->high, (const char *)&wide.FileId + sizeof(id->low), sizeof(id->high));
    return true;
  }
  if (!GetFileInformationByHandle(file, &narrow)) return false;
  id->volume = narrow.dwVolumeSerialNumber;
  id->low = (uint64_t)narrow.nFileIndexHigh << 32 | narrow.nFileIndexLow;
  id->high = 0;
  return true;
}

bool safe__win_same_file(const struct safe__file_id *one, const struct safe__file_id *other) {
  return one->volume == other->volume && one->low == other->low && one->high == other->high;
}

bool safe__os_handle_id(safe_handle handle, struct safe__file_id *id) { return safe__win_file_id(handle, id); }
