# SPDX-License-Identifier: MIT
# Shared by the scripts beside it, which set $root and source this file. POSIX sh.

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$(basename "$0"): $*"
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "needs root for: $*"
  fi
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | cut -c1-2)" = ii ]; }

# No service is started by being installed: nginx would listen for everybody. In a subshell, whose end puts that back.
install_packages() {
  policy=/usr/sbin/policy-rc.d # see invoke-rc.d(8); 101: not allowed
  if [ ! -e "$policy" ]; then
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' policy "$policy"
  fi
  as_root apt-get -q update && as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"
}

# need_packages NAME...: installs those Debian packages that are missing. Asks dpkg first, so that a machine which
# has everything needs neither network nor root.
need_packages() {
  if ! command -v apt-get >/dev/null 2>&1; then
    say "$(basename "$0"): no apt-get here; what these Debian packages hold must be there already: $*"
    return 0
  fi
  missing=
  for package in "$@"; do
    installed "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  say "installing$missing"
  mkdir -p "$root/build"
  # shellcheck disable=SC2086 # a list of names
  if ! (install_packages $missing) >"$root/build/install.log" 2>&1; then
    tail -n 20 "$root/build/install.log" >&2
    die "could not install$missing"
  fi
}

# The parser of HTTP that this Debian has for C: 13 has llhttp, and 12 the one that came before it.
http_parser_package() {
  if apt-cache show libllhttp-dev >/dev/null 2>&1; then echo libllhttp-dev; else echo libhttp-parser-dev; fi
}

# Source packages come from where this machine's own packages come from: its apt sources are copied to a private folder
# and turned from deb into deb-src there. /etc/apt is only read.
private_apt_begin() { # FOLDER
  mkdir -p "$1/parts" "$1/lists/partial" "$1/download"
  for list in /etc/apt/sources.list.d/*.sources; do
    if [ -e "$list" ]; then sed -E 's/^Types:.*/Types: deb-src/' "$list" >"$1/parts/$(basename "$list")"; fi
  done
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    if [ -e "$list" ]; then sed -nE 's/^deb(-src)?[[:space:]]/deb-src /p' "$list" >"$1/parts/$(basename "$list" .list)-1.list"; fi
  done
}

private_apt() { # FOLDER COMMAND [ARGUMENT...], of apt-get's or apt-cache's
  folder=$1
  shift
  "$@" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$folder/parts" -o Dir::State::lists="$folder/lists" \
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root
}

# Sources of cJSON, libuv and CMocka for the targets that have none ready to link, unpacked in
# build/deps/src/{cjson,libuv,cmocka}.
need_dependency_sources() {
  sources=$root/build/deps/src
  if [ -d "$sources/cjson" ] && [ -d "$sources/libuv" ] && [ -d "$sources/cmocka" ]; then
    return 0
  fi
  need_packages dpkg-dev xz-utils ca-certificates
  say "fetching the sources of cJSON, libuv and CMocka"
  rm -rf "$root/build/deps"
  apt=$root/build/deps/apt
  mkdir -p "$sources"
  private_apt_begin "$apt"
  (
    cd "$apt/download"
    private_apt "$apt" apt-get -q update &&
      private_apt "$apt" apt-get -q source --tar-only --download-only cjson libuv1 cmocka
  ) >"$root/build/deps/log" 2>&1 || {
    tail -n 20 "$root/build/deps/log" >&2
    die "could not fetch the sources of cJSON, libuv and CMocka"
  }
  for pair in cjson:cjson libuv1:libuv cmocka:cmocka; do
    mkdir "$sources/${pair#*:}.new"
    tar -xf "$apt/download/${pair%:*}"_*.orig.tar.?z -C "$sources/${pair#*:}.new" --strip-components=1
    mv "$sources/${pair#*:}.new" "$sources/${pair#*:}"
  done
}

# zig cc, out of PyPI's ziglang wheel, in a virtual environment of its own, with the wrappers that the toolchain
# files name. Checked against a pinned version; an environment of another version is replaced.
zig_version=0.15.2
need_zig() {
  tools=$root/build/tools
  if [ "$(cat "$tools/zig-version" 2>/dev/null)" != "$zig_version" ]; then
    need_packages python3 python3-venv ca-certificates
    say "installing zig $zig_version"
    rm -rf "$tools/zig"
    mkdir -p "$tools"
    /usr/bin/python3 -m venv "$tools/zig" >"$tools/zig.log" 2>&1 &&
      "$tools/zig/bin/pip" install "ziglang==$zig_version" >>"$tools/zig.log" 2>&1 || {
      tail -n 20 "$tools/zig.log" >&2
      die "could not install zig"
    }
    echo "$zig_version" >"$tools/zig-version"
  fi
  mkdir -p "$tools/bin"
  zig=$(echo "$tools"/zig/lib/python3*/site-packages/ziglang/zig)
  zig_wrapper aarch64-macos-cc cc -target aarch64-macos-none
  zig_wrapper x86_64-freebsd-cc cc -target x86_64-freebsd-none
  zig_wrapper zig-ar ar
  zig_wrapper zig-ranlib ranlib
}

zig_wrapper() {
  wrapper=$tools/bin/$1
  shift
  printf '#!/bin/sh\nexport ZIG_GLOBAL_CACHE_DIR="%s" ZIG_LOCAL_CACHE_DIR="%s"\nexec "%s" %s "$@"\n' \
    "$tools/zig-cache" "$tools/zig-cache" "$zig" "$*" >"$wrapper.new"
  chmod +x "$wrapper.new"
  mv "$wrapper.new" "$wrapper"
}
