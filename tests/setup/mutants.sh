#!/usr/bin/env bash
# Runs cargo-mutants on the issuer's rules (issuer/src/domain) and on the verifier. `make mutants` calls this script.
# usage: mutants.sh PATH_TO_CARGO_MUTANTS [FILE]
#
# A mutant is one small change of the code. The rules use no other module of the issuer. So this script copies them into
# a package of their own, which compiles much faster than the issuer. The copy also holds the verifier. The mutants are
# made in the copy, so the clone stays unchanged.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo_mutants=$1 only=${2:-}
out=$(realpath -m "${CARGO_TARGET_DIR:-target}")/mutants
tree=$out/tree

rm -rf "$tree"
mkdir -p "$tree/issuer/src" "$tree/tests"
sed 's/^members = .*/members = ["issuer", "verifier-wasm"]/; /^redis-servers = /d' Cargo.toml > "$tree/Cargo.toml"
cp Cargo.lock "$tree/"
cp -R verifier-wasm "$tree/"
cp -R tests/vectors "$tree/tests/"
cp -R issuer/src/domain issuer/src/domain.rs "$tree/issuer/src/"
printf '//! The rules of the issuer.\n\npub mod domain;\n' > "$tree/issuer/src/lib.rs"
cat > "$tree/issuer/Cargo.toml" <<'MANIFEST'
[package]
name = "doorlist"
version.workspace = true
edition.workspace = true

[dependencies]
doorlist-verifier.workspace = true
rand.workspace = true
serde.workspace = true
serde_json.workspace = true
thiserror.workspace = true

[dev-dependencies]
proptest.workspace = true
MANIFEST

# $1: the package, then the arguments that choose its tests. `--cargo-arg` also limits what is built for each mutant.
status=0
mutate() {
  local package=$1
  shift
  CARGO_TARGET_DIR=$out/target CARGO_PROFILE_DEV_DEBUG=0 "$cargo_mutants" mutants --dir "$tree" --in-place \
    --config tests/setup/mutants.toml --output "$out/$package" --package "$package" ${only:+--file "$only"} "$@" || status=$?
}

mkdir -p "$out/doorlist" "$out/doorlist-verifier"
case $only in verifier-wasm/*) ;; *) mutate doorlist --cargo-arg=--lib ;; esac
case $only in issuer/*) ;; *) mutate doorlist-verifier --cargo-arg=--lib --cargo-arg=--test=verifier ;; esac
exit $status
