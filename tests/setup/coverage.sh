#!/usr/bin/env bash
# Measures the lines and branches that the unit tests reach: the issuer's rules, the verifier, and the package's sources.
# usage: coverage.sh PATH_TO_CARGO_LLVM_COV
set -euo pipefail
cd "$(dirname "$0")/../.."
llvm_cov=$1

# LLVM's tools make the reports. These tools must be as new as the LLVM of rustc.
tools="$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin"
if [ ! -x "$tools/llvm-cov" ]; then
  major=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
  if command -v "llvm-cov-$major" >/dev/null; then
    export LLVM_COV=llvm-cov-$major LLVM_PROFDATA=llvm-profdata-$major
  elif ! rustup component add llvm-tools; then
    echo "Coverage needs the tools of LLVM $major: rustup component add llvm-tools, or apt-get install llvm-$major" >&2
    exit 1
  fi
fi

# Only an unstable option of rustc measures branches. This variable allows the option, for this run only.
export RUSTC_BOOTSTRAP=1
"$llvm_cov" llvm-cov --branch --package doorlist --package doorlist-verifier --lib --test verifier \
  --ignore-filename-regex '/(tests|testing)(/|\.rs)|issuer/src/(http|server|cli|config|output|secret|demo|store)' "${@:2}"

cd js
npx c8 --src src --include 'src/**/*.ts' --reporter text \
  node --import tsx --test --test-concurrency=2 --test-timeout=240000 --test-reporter=dot test/*.test.ts
