# SPDX-License-Identifier: MIT
# PHP's own source, as the distribution has it; for the scripts that have sourced lib.sh. POSIX sh.

# The Debian package that the command php is from, as "SOURCE VERSION".
php_package() {
  program=$(readlink -f "$(command -v php)") || die "there is no php"
  # shellcheck disable=SC2016 # dpkg's own fields
  dpkg-query -W -f '${source:Package} ${source:Version}\n' "$(dpkg-query -S "$program" | cut -d: -f1)"
}

# Tries the installed version first, and then the others that there are, newest first: a mirror may have a security
# update's packages without its source.
php_download() {
  for version in "$2" $(private_apt "$apt" apt-cache -q showsrc "$1" | sed -n 's/^Version: //p' | sort -rVu); do
    if private_apt "$apt" apt-get -q source --tar-only --download-only "$1=$version"; then return 0; fi
  done
  return 1
}

# Unpacks it in build/php-src; its version is in build/php-src/VERSION.
need_php_source() {
  [ ! -s "$root/build/php-src/VERSION" ] || return 0
  need_packages dpkg-dev xz-utils ca-certificates php-cli
  # shellcheck disable=SC2046 # two words
  set -- $(php_package)
  say "fetching the source of $1"
  apt=$root/build/php-apt
  rm -rf "$apt" "$root/build/php-src.new"
  mkdir -p "$apt/download" "$root/build/php-src.new"
  private_apt_begin "$apt"
  (
    cd "$apt/download"
    private_apt "$apt" apt-get -q update && php_download "$1" "$2"
  ) >"$apt/log" 2>&1 || {
    tail -n 20 "$apt/log" >&2
    die "could not fetch the source of $1"
  }
  tar -xf "$apt/download/$1"_*.orig.tar.?z -C "$root/build/php-src.new" --strip-components=1
  basename "$apt/download/$1"_*.orig.tar.?z | sed -E 's/.*_(.*)\.orig\.tar\..z/\1/' >"$root/build/php-src.new/VERSION"
  rm -rf "$root/build/php-src"
  mv "$root/build/php-src.new" "$root/build/php-src"
}
