#!/bin/sh
# SPDX-License-Identifier: MIT
# sh tools/fresh.sh [RELEASE...]: proves that demo.sh and test.sh install all they need. For each Debian release
# (default: bookworm trixie) it makes a minimal system in a temporary folder, clones the last commit into it and runs
# both there. Needs root, and minutes. What they printed stays in build/fresh-RELEASE.log.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/lib.sh"

[ $# -gt 0 ] || set -- bookworm trixie
[ "$(id -u)" -eq 0 ] || die "must be root, for debootstrap, mount and chroot"
need_packages debootstrap git util-linux
mkdir -p "$root/build"

# Where this machine's own packages come from; another release lies at the same place.
mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' |
  awk -v codename="$(. /etc/os-release && echo "$VERSION_CODENAME")" '$1 == codename && $2 == "main" { print $3; exit }')
[ -n "$mirror" ] || die "cannot tell this machine's Debian mirror; does apt-get update help?"

# The way out of this machine is the way out of the fresh one: proxies, and the bundle of trusted certificates if the
# environment names one.
outward() {
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL SAFEHOLD_LONG; do
    eval "value=\${$name:-}"
    [ -z "$value" ] || printf '%s=%s\n' "$name" "$value"
  done
  for name in SSL_CERT_FILE PIP_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE; do
    eval "value=\${$name:-}"
    [ ! -f "$value" ] || printf '%s=/etc/outward-certificates.crt\n' "$name"
  done
}

# Inside an if the shell does not stop at an error by itself.
fresh_system() {
  bundle=${SSL_CERT_FILE:-${PIP_CERT:-${REQUESTS_CA_BUNDLE:-}}}
  debootstrap --variant=minbase "$1" "$folder" "$mirror" &&
    { apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|Retries|Force)' || true; } \
      >"$folder/etc/apt/apt.conf.d/00outward" &&
    cp -L /etc/resolv.conf "$folder/etc/resolv.conf" &&
    { [ ! -f "$bundle" ] || cp -L "$bundle" "$folder/etc/outward-certificates.crt"; } &&
    git clone -q --no-local "$root" "$folder/root/safehold"
}

folder=
trap '[ -z "$folder" ] || rm -rf --one-file-system "$folder"' EXIT
trap 'exit 130' INT TERM

failed=0
for release in "$@"; do
  started=$(date +%s)
  log=$root/build/fresh-$release.log
  : >"$log"
  folder=$(mktemp -d "${TMPDIR:-/var/tmp}/safehold-fresh-XXXXXX")
  chmod 755 "$folder"
  verdict=PASS
  scripts='demo test'
  if ! fresh_system "$release" >>"$log" 2>&1; then
    verdict=FAIL scripts=
    echo "$release: no fresh system: $(tail -n 1 "$log")"
  fi

  for script in $scripts; do
    script_started=$(date +%s)
    # In namespaces of its own: its mounts and whatever it leaves running end with it, however it ends.
    # shellcheck disable=SC2046 # assignments, one a line, without blanks
    unshare --mount --pid --fork --kill-child --propagation private sh -eu -c '
      folder=$1 script=$2
      shift 2
      mount -t proc proc "$folder/proc"
      mount --rbind /sys "$folder/sys"
      mount --rbind /dev "$folder/dev"
      exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI=true "$@" \
        chroot "$folder" sh -c "cd /root/safehold && exec sh tools/$script.sh"
    ' fresh "$folder" "$script" $(outward) </dev/null >>"$log" 2>&1 || verdict=FAIL
    echo "$release: tools/$script.sh: $(tail -n 1 "$log") ($(($(date +%s) - script_started)) s)"
  done
  rm -rf --one-file-system "$folder"
  folder=
  echo "$verdict: $release in $(($(date +%s) - started)) s; its output is in build/fresh-$release.log"
  [ "$verdict" = PASS ] || failed=1
done
exit "$failed"
