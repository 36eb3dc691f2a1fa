/* SPDX-License-Identifier: MIT */
#include "file_id.h"

#include <string.h>

/* FileIdInfo has the 128 bits of ReFS; a file system that does not know it has the older 64. One file system always
   answers in the same way, so that the two never meet in a comparison. */
bool safe__win_file_id(HANDLE file, struct safe__win_file_id *id) {
  FILE_ID_INFO wide;
  BY_HANDLE_FILE_INFORMATION narrow;

  memset(id, 0, sizeof(*id));
  if (GetFileInformationByHandleEx(file, FileIdInfo, &wide, sizeof(wide))) {
    id->volume = wide.VolumeSerialNumber;
    memcpy(id->bytes, &wide.FileId, sizeof(id->bytes));
    return true;
  }
  if (!GetFileInformationByHandle(file, &narrow)) return false;
  id->volume = narrow.dwVolumeSerialNumber;
  memcpy(id->bytes, &narrow.nFileIndexHigh, sizeof(narrow.nFileIndexHigh));
  memcpy(id->bytes + sizeof(narrow.nFileIndexHigh), &narrow.nFileIndexLow, sizeof(narrow.nFileIndexLow));
  return true;
}

bool safe__win_same_file(const struct safe__win_file_id *one, const struct safe__win_file_id *other) {
  return one->volume == other->volume && memcmp(one->bytes, other->bytes, sizeof(one->bytes)) == 0;
}
