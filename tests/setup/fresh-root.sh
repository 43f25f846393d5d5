#!/usr/bin/env bash
# Runs `make` with the given targets in a fresh clone on a fresh Debian. This Debian is the smallest root that debootstrap
# makes. It has only the software that the README requires, a working package manager, and empty caches.
#
#   tests/setup/fresh-root.sh demo ONCE=1
#
# Rust and Node.js come from this machine, as read-only bind mounts, because this script does not test their installers.
# With REUSE=1, wasm-pack, wasm-bindgen and the debug build of the issuer come from this machine too. Then only these
# parts are tested: the npm and Debian packages, the wasm build, and the demo.
set -euo pipefail
clone=$(cd "$(dirname "$0")/../.." && pwd)

if [ "${1:-}" != --in-namespace ]; then
  [ "$(id -u)" = 0 ] || { echo 'A fresh root needs root: run it with sudo.' >&2; exit 1; }
  command -v debootstrap >/dev/null || { echo 'A fresh root needs debootstrap: apt-get install debootstrap.' >&2; exit 1; }
  unshare --mount --pid --fork true || { echo 'A fresh root needs a mount namespace, which this kernel does not grant.' >&2; exit 1; }
  root=$(mktemp -d)
  chmod 755 "$root" # apt downloads as its own user
  # The mounts and processes of the root end with the namespace. So the removal does not touch files of this machine.
  trap 'rm -rf --one-file-system "$root"' EXIT
  unshare --mount --pid --fork --kill-child "$0" --in-namespace "$root" "$@" &
  trap "kill $!" INT TERM
  wait $!
  exit
fi
shift
root=$1
shift

. /etc/os-release
watched() { node "$clone/tests/setup/progress.mjs" none "$1" 'It needs the network and a mirror of Debian.' "${@:2}"; }
inside() { chroot "$root" /usr/bin/env -i HOME=/root USER=root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "${settings[@]}" "$@"; }
settings=()
for name in http_proxy https_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY no_proxy; do
  if [ -n "${!name:-}" ]; then settings+=("$name=${!name}"); fi
done

echo "making a fresh root: $PRETTY_NAME, minbase"
watched 'making a fresh root' debootstrap --variant=minbase "$VERSION_CODENAME" "$root"
mount -t proc proc "$root/proc"
mkdir -p "$root/dev/shm" && mount -t tmpfs tmpfs "$root/dev/shm"
cp /etc/resolv.conf "$root/etc/resolv.conf"
for part in /etc/apt/apt.conf.d/99*; do if [ -e "$part" ]; then cp "$part" "$root/etc/apt/apt.conf.d/"; fi; done
inside apt-get update -qq
watched 'installing what the README asks for' chroot "$root" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends make gcc libc6-dev ca-certificates

# In the network of this machine, downloads can need the certificates that this machine trusts.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
bind() {
  mkdir -p "$(dirname "$root$2")"
  if [ -d "$1" ]; then mkdir -p "$root$2"; else touch "$root$2"; fi
  mount --bind "$1" "$root$2" && mount -o remount,bind,ro "$root$2"
}
sysroot=$(rustc --print sysroot)
npm=$(dirname "$(dirname "$(readlink -f "$(type -P npm)")")")
bind "$sysroot" /opt/rust
bind "$(readlink -f "$(type -P node)")" /opt/node/bin/node
bind "$npm" /opt/node/lib/node_modules/npm
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/opt/node/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/opt/node/bin/npx"
settings+=(npm_config_cafile=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt)
settings+=(PATH=/opt/rust/bin:/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
echo "bound in from this machine: $(rustc --version), Node.js $(node --version), npm $(npm --version)"

"$clone/tests/setup/clone.sh" "$root/clone"
if [ -n "${REUSE:-}" ]; then
  bind "${XDG_CACHE_HOME:-$HOME/.cache}/doorlist" /opt/cache/doorlist
  bind "${CARGO_TARGET_DIR:-$clone/target}/debug/doorlist" /opt/doorlist
  settings+=(XDG_CACHE_HOME=/opt/cache DOORLIST_BINARY=/opt/doorlist)
  set -- --old-file=issuer "$@"
  echo 'bound in as well: wasm-pack, wasm-bindgen and the debug build of the issuer'
fi
inside make --no-print-directory -C /clone "$@"
