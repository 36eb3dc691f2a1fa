/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "os.h"

static const struct {
  int from, to;
} codes[] = {
  {EINVAL, SAFE_EINVAL},      {ENOMEM, SAFE_ENOMEM}, {ENOENT, SAFE_ENOENT},
  {EACCES, SAFE_EACCES},      {EPERM, SAFE_EACCES},  {EROFS, SAFE_EACCES},
  {EISDIR, SAFE_EISDIR},      {ENXIO, SAFE_ENOTREG}, {ENODEV, SAFE_ENOTREG},
  {ELOOP, SAFE_ESYMLINK},     {ENOLCK, SAFE_ENOLCK}, {ENOSYS, SAFE_ENOTSUP},
  {EOPNOTSUPP, SAFE_ENOTSUP}, {EBADF, SAFE_EBADF},   {ENOEXEC, SAFE_ENOEXEC},
  {EMFILE, SAFE_EMFILE},      {ENFILE, SAFE_EMFILE}, {EAGAIN, SAFE_EAGAIN},
  {EPIPE, SAFE_EPIPE},        {E2BIG, SAFE_E2BIG},   {ENAMETOOLONG, SAFE_ENAMETOOLONG},
  {ENOTDIR, SAFE_ENOTDIR},    {ENOSPC, SAFE_ENOSPC}, {EDQUOT, SAFE_ENOSPC},
  {EDEADLK, SAFE_EDEADLK},
};

int safe__os_translate(int64_t os_code) {
  size_t at;

  for (at = 0; at < sizeof(codes) / sizeof(codes[0]); at++)
    if (codes[at].from == os_code) return codes[at].to;
  return SAFE_ESYSTEM;
}

void safe__os_describe(int64_t os_code, char *text, size_t size) {
  locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

  /* strerror_l, as strerror is not thread-safe and strerror_r has two incompatible forms; in English, like the
     rest of the message. */
  if (locale == (locale_t)0) {
    snprintf(text, size, "system error");
    return;
  }
  snprintf(text, size, "%s", strerror_l((int)os_code, locale));
  freelocale(locale);
}
