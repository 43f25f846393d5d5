#!/usr/bin/env bash
# Runs a command as if this machine had only the software that the README requires:
#
#   tests/setup/hidden.sh make demo ONCE=1
#
# The PATH contains only links to the required programs. The command gets its own mount namespace. There, /dev/null is
# mounted over every optional program, the package manager and workerd. If the kernel allows no mount namespace, these
# programs are only missing from the PATH.
set -euo pipefail

# The first lines list the tools that make, npm and cargo call. All these tools are in Debian's essential packages. The
# last line lists the programs that the README requires.
PROMISED='bash sh env awk basename cat chmod cmp comm cp cut date diff dirname echo expr false find getconf grep
  head id kill ln ls mkdir mktemp mv nproc printf pwd readlink realpath rm rmdir sed seq sleep sort stat sync tail tar
  tee test touch tr true uname uniq wc xargs
  make cc gcc cpp as ar ld nm ranlib strip cargo cargo-clippy cargo-fmt clippy-driver rustc rustdoc rustfmt rustup node npm npx'
OPTIONAL='apt apt-get aptitude brew chromium chromium-browser curl debootstrap faketime firefox firefox-esr git
  google-chrome google-chrome-stable nginx openssl pkg-config redis-cli redis-sentinel redis-server snap sudo
  valgrind valkey-server wget'

clone=$(cd "$(dirname "$0")/../.." && pwd)

hide() {
  local name path
  { 
    for name in $OPTIONAL; do type -ap "$name" || true; compgen -G "/snap/bin/$name" || true; done
    compgen -G '/usr/lib*/*/faketime/*.so*' || true
    compgen -G "$clone/js/node_modules/@cloudflare/workerd-*/bin/workerd" || true
  } | while read -r path; do mount --bind /dev/null "$path"; done
}

if [ "${1:-}" = --in-namespace ]; then
  shift
  hide
elif unshare --mount true 2>/dev/null; then
  exec unshare --mount "$0" --in-namespace "$@"
elif unshare --map-root-user --mount true 2>/dev/null; then
  exec unshare --map-root-user --mount "$0" --in-namespace "$@"
else
  echo 'No mount namespace here: optional programs are hidden by the PATH alone, and workerd is not.'
fi

links=$(mktemp -d)
trap 'rm -rf "$links"' EXIT
for name in $PROMISED; do
  if path=$(type -P "$name"); then ln -s "$path" "$links/$name"; fi
done
unset CHROMIUM FIREFOX
PATH=$links "$@"
