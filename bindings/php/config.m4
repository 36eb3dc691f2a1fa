dnl SPDX-License-Identifier: MIT
PHP_ARG_ENABLE([safehold], [whether to enable safehold],
  [AS_HELP_STRING([--enable-safehold], [File locks and children that never hang, never leak and always explain])], [yes])
PHP_ARG_WITH([safehold-core], [for the core library],
  [AS_HELP_STRING([--with-safehold-core=FILE], [a ready libsafehold.a])], [no], [no])

if test "$PHP_SAFEHOLD" != no; then
  SAFEHOLD_SOURCES="module.c replace.c wait.c child.c session.c api_lock.c api_process.c replace_flock.c replace_proc_open.c replace_exec.c replace_popen.c replace_session.c"
  PHP_NEW_EXTENSION([safehold], [$SAFEHOLD_SOURCES], [$ext_shared],, [-std=c11 -D_GNU_SOURCE])
fi
