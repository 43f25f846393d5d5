#!/usr/bin/env bash
# Installs a Debian package: tests/setup/apt.sh PACKAGE 'the text to print after a failure'
# With NO_PASSWORD=1 this script installs the package only if sudo asks for no password. Otherwise this script exits
# with 1 and prints nothing.
set -euo pipefail
package=$1 otherwise=$2
here=$(dirname "$0")

give_up() {
  [ -n "${NO_PASSWORD:-}" ] || printf '%s\n' "$1: $otherwise" >&2
  exit 1
}

command -v apt-get >/dev/null || give_up 'there is no apt-get here'
sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || give_up 'installing a package needs root, and there is no sudo here'
  [ -z "${NO_PASSWORD:-}" ] || sudo -n true 2>/dev/null || give_up 'sudo asks for a password'
  sudo=(sudo)
fi
# `apt-get update` can fail because one of several sources is down. The other sources can still have the package.
install='apt-get update -qq || true; DEBIAN_FRONTEND=noninteractive exec apt-get install -y -q -o DPkg::Lock::Timeout=120 --no-install-recommends "$1"'
printf '\033[1mdoorlist\033[0m  installing %s with apt-get\n' "$package"
exec node "$here/progress.mjs" none "installing $package with apt-get" "$otherwise" "${sudo[@]}" sh -c "$install" sh "$package"
