dnl SPDX-License-Identifier: MIT
dnl The core library is linked in statically: a ready one (--with-safehold-core), one that is installed
dnl (--with-safehold=DIR), or else one that make builds from the source tree around this folder, through cmake.

PHP_ARG_WITH([safehold], [for safehold],
  [AS_HELP_STRING([[--with-safehold[=DIR]]],
    [File locks and children that never hang, never leak and always explain; DIR: where the core library is installed])],
  [yes])
PHP_ARG_WITH([safehold-core], [for a ready core library],
  [AS_HELP_STRING([--with-safehold-core=FILE], [A libsafehold.a; the headers are those of the source tree])], [no], [no])
PHP_ARG_WITH([safehold-source], [for the source tree of the core library],
  [AS_HELP_STRING([--with-safehold-source=DIR], [The source tree; default: two folders above this one])], [no], [no])

if test "$PHP_SAFEHOLD" != no; then
  safehold_folder=PHP_EXT_SRCDIR([safehold])
  SAFEHOLD_SOURCES=`cd "$safehold_folder" && ls *.c | grep -v '^conftest' | tr '\n' ' '`

  if test "$PHP_SAFEHOLD" != yes; then
    dnl An installed one: its own pkg-config file tells, and a shared library serves as well.
    AC_PATH_PROG([PKG_CONFIG], [pkg-config], [no])
    if test "$PKG_CONFIG" = no; then
      AC_MSG_ERROR([--with-safehold=DIR needs pkg-config])
    fi
    safehold_pc="$PHP_SAFEHOLD/lib/pkgconfig"
    for dir in "$PHP_SAFEHOLD"/lib/*/pkgconfig "$PHP_SAFEHOLD/lib64/pkgconfig"; do
      test -f "$dir/safehold.pc" && safehold_pc=$dir
    done
    if test ! -f "$safehold_pc/safehold.pc"; then
      AC_MSG_ERROR([there is no safehold.pc below $PHP_SAFEHOLD])
    fi
    SAFEHOLD_CFLAGS=`PKG_CONFIG_PATH="$safehold_pc" "$PKG_CONFIG" --cflags safehold`
    SAFEHOLD_LIBS=`PKG_CONFIG_PATH="$safehold_pc" "$PKG_CONFIG" --libs safehold`
    PHP_EVAL_INCLINE([$SAFEHOLD_CFLAGS])
    PHP_EVAL_LIBLINE([$SAFEHOLD_LIBS], [SAFEHOLD_SHARED_LIBADD])
  else
    if test "$PHP_SAFEHOLD_SOURCE" = no; then
      PHP_SAFEHOLD_SOURCE=`cd "$safehold_folder/../.." && pwd`
    fi
    if test ! -f "$PHP_SAFEHOLD_SOURCE/include/safehold.h"; then
      AC_MSG_ERROR([the core library's source is not at $PHP_SAFEHOLD_SOURCE: give --with-safehold-source or --with-safehold])
    fi
    PHP_ADD_INCLUDE([$PHP_SAFEHOLD_SOURCE/include])
    if test "$PHP_SAFEHOLD_CORE" = no; then
      AC_PATH_PROG([SAFEHOLD_CMAKE], [cmake], [no])
      if test "$SAFEHOLD_CMAKE" = no; then
        AC_MSG_ERROR([cmake is needed to build the core library: install it, or give --with-safehold or --with-safehold-core])
      fi
      SAFEHOLD_CORE_FILE='$(top_builddir)/core/libsafehold.a'
      PHP_SUBST([SAFEHOLD_CMAKE])
      PHP_SUBST([PHP_SAFEHOLD_SOURCE])
      PHP_ADD_MAKEFILE_FRAGMENT([$safehold_folder/Makefile.frag])
    else
      SAFEHOLD_CORE_FILE=$PHP_SAFEHOLD_CORE
    fi
    dnl The core's functions are for this extension alone: another one, or the host, may have a core of its own.
    case $host_os in
      darwin*[)] SAFEHOLD_SHARED_LIBADD="-Wl,$SAFEHOLD_CORE_FILE -Wl,-exported_symbol,_get_module" ;;
      *[)] SAFEHOLD_SHARED_LIBADD="-Wl,--exclude-libs,ALL -Wl,$SAFEHOLD_CORE_FILE -lpthread" ;;
    esac
    SAFEHOLD_SHARED_DEPENDENCIES=$SAFEHOLD_CORE_FILE
  fi
  PHP_SUBST([SAFEHOLD_SHARED_LIBADD])
  PHP_SUBST([SAFEHOLD_SHARED_DEPENDENCIES])

  PHP_NEW_EXTENSION([safehold], [$SAFEHOLD_SOURCES], [$ext_shared],,
    [-std=gnu11 -D_GNU_SOURCE -fvisibility=hidden -DZEND_ENABLE_STATIC_TSRMLS_CACHE=1])
  PHP_ADD_EXTENSION_DEP([safehold], [session], true)
fi
