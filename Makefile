# The two commands of the README are `make demo` and `make test`; each sets up whatever it still needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Tools are built once and kept outside the clone, so the next clone finds them.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/doorlist
WASM_BINDGEN_VERSION := $(shell sed -n '/^name = "wasm-bindgen"$$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
WASM_PACK_VERSION := 0.15.1
WASM_BINDGEN := $(CACHE)/wasm-bindgen-$(WASM_BINDGEN_VERSION)/bin/wasm-bindgen
WASM_PACK := $(CACHE)/wasm-pack-$(WASM_PACK_VERSION)/bin/wasm-pack
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Packages outside the workspace have lock files of their own: in one folder, each would take another's for its own.
BENCH_TARGET := $(TARGET)/bench
SIGNATURE_MAKER := $(TARGET)/debug/examples/signature_cases
export PATH := $(CURDIR)/js/node_modules/.bin:$(dir $(WASM_BINDGEN)):$(dir $(WASM_PACK)):$(PATH)

say = @printf '\033[1mdoorlist\033[0m  %s\n'

# Installs a package of Debian's: $(call apt-get,package,what to say where there is no apt-get, or no such package)
apt-get = { command -v apt-get >/dev/null || { echo '$(2)' >&2; exit 1; }; \
  printf '\033[1mdoorlist\033[0m  %s\n' 'installing $(1)'; \
  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $(1) >/dev/null \
  || { echo '$(2)' >&2; exit 1; }; }

.PHONY: help demo test chaos bench differential build load package issuer test-rust test-js fences instructions lint prerequisites \
  wasm-target browser firefox valgrind redis faketime clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Kick a user and watch every verifier refuse her (PORT=8788: there; ONCE=1: then end)
	@DOORLIST_BINARY=$(TARGET)/release/doorlist node js/demo/demo.mjs $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

test: prerequisites browser firefox valgrind redis faketime ## Set up what tests need, and run all of them
	@$(MAKE) test-rust fences instructions package test-js

chaos: prerequisites redis faketime ## Kill, cut off, fill up and set back issuers and Redis under load (10 minutes; MINUTES=)
	@MINUTES=$(MINUTES) node tests/stories/chaos.mjs

bench: build load browser tests/bench/node_modules/.package-lock.json ## Measure against others, into tests/bench/RESULTS.md (5 minutes)
	$(say) 'measuring; leave the machine alone meanwhile'
	@cd tests/bench && DOORLIST_BINARY=$(TARGET)/release/doorlist DOORLIST_LOAD=$(BENCH_TARGET)/load/release/doorlist-load \
	  DOORLIST_LOOKUP=$(BENCH_TARGET)/lookup/wasm32-unknown-unknown/release/doorlist_lookup.wasm CARGO_TARGET_DIR=$(BENCH_TARGET)/core \
	  npm run --silent bench

differential: package ## A million signatures as stock dalek judges them, natively and in wasm (5 minutes)
	@cargo build --workspace --example signature_cases
	@DOORLIST_SIGNATURE_CASES=1000000 cargo test --package doorlist-verifier --lib random_and_damaged
	@DOORLIST_WASM_SIGNATURE_CASES=1000000 DOORLIST_SIGNATURE_MAKER=$(SIGNATURE_MAKER) node --test tests/js/signatures.test.mjs

build: package issuer ## The npm package and the issuer

## Steps

# Stories that start a Redis of their own.
ON_REDIS_ANYWAY := crash:: two_issuers:: store_ foreign_values:: clock_steps::

test-rust:
	$(say) 'Rust tests'
	@cargo fmt --check
	@cargo fmt --check --manifest-path tests/bench/load/Cargo.toml
	@cargo fmt --check --manifest-path tests/bench/lookup/Cargo.toml --package doorlist-lookup
	@cargo fmt --check --manifest-path tests/bench/core/Cargo.toml --package doorlist-core
	@cargo test --workspace
	$(say) 'the stories again, each on two issuers and one Redis'
	@DOORLIST_STORIES=pair cargo test --package doorlist --test stories -- $(addprefix --skip=,$(ON_REDIS_ANYWAY))

test-js: package
	$(say) 'JavaScript tests'
	@cargo build --package doorlist
	@cargo build --workspace --example signature_cases
	@cd js && npm test && npm run test:packaging
	@cd js && DOORLIST_BINARY=$(TARGET)/debug/doorlist DOORLIST_SIGNATURE_MAKER=$(SIGNATURE_MAKER) npm run test:stories
	@DOORLIST_BINARY=$(TARGET)/debug/doorlist node js/demo/demo.mjs --once

issuer: prerequisites
	$(say) 'building the issuer (the first time takes about 4 minutes)'
	@cargo build --release --package doorlist

load: wasm-target
	$(say) 'building the load of the measurements'
	@cargo build --release --manifest-path tests/bench/load/Cargo.toml --target-dir $(BENCH_TARGET)/load
	@cargo build --release --manifest-path tests/bench/lookup/Cargo.toml --target-dir $(BENCH_TARGET)/lookup --target wasm32-unknown-unknown
	@cargo bench --no-run --manifest-path tests/bench/core/Cargo.toml --target-dir $(BENCH_TARGET)/core

package: prerequisites wasm-target $(WASM_BINDGEN) $(WASM_PACK) js/node_modules/.package-lock.json
	$(say) 'building the npm package'
	@cd js && npm run build

# What each side must never depend on, see verifier-wasm/FORMAT.md.
fences: wasm-target
	$(say) 'dependency fences'
	@tree=$$(cargo tree --quiet --package doorlist --edges normal --prefix none); \
	if grep '^wasm-bindgen ' <<< "$$tree"; then \
	  echo 'The issuer depends on wasm-bindgen; only the wasm build may.' >&2; exit 1; fi
	@tree=$$(cargo tree --quiet --package doorlist-verifier --edges normal --prefix none --target wasm32-unknown-unknown); \
	if grep -E '^(tokio|redis|getrandom) ' <<< "$$tree"; then \
	  echo 'The wasm build depends on I/O, a store or randomness; the verifier has none.' >&2; exit 1; fi

# The count must not depend on the processor: neither curve nor hash may choose code by what it finds.
instructions: export RUSTFLAGS := --cfg curve25519_dalek_backend="serial" --cfg sha2_backend="soft"
instructions: prerequisites valgrind ## Count the instructions of a verification (RENEW=1: write them down)
	$(say) 'instructions of one native verification'
	@cargo build --quiet --release --manifest-path tests/bench/core/Cargo.toml --target-dir $(TARGET)/instructions --bin instructions
	@node tests/bench/core/instructions.mjs $(if $(RENEW),--renew) $(TARGET)/instructions/release/instructions

lint: ## Clippy on everything, warnings are errors
	@cargo clippy --workspace --all-targets -- --deny warnings
	@for package in load lookup core; do \
	  cargo clippy --manifest-path tests/bench/$$package/Cargo.toml --target-dir $(BENCH_TARGET)/$$package --all-targets -- --deny warnings; done

clean: ## Remove what was built here (tools in the cache stay)
	@cargo clean
	@rm -rf js/dist js/wasm js/node_modules js/packaging/nodes/node_modules js/examples/next/{node_modules,.next} tests/bench/node_modules

## Set-up

# 21 and the first of 22 lack what the build tools need; their packages name the same range.
NODE_IS_NEW_ENOUGH := const [major, minor] = process.versions.node.split(".").map(Number); \
  process.exit(major >= 23 || (major === 20 && minor >= 19) || (major === 22 && minor >= 12) ? 0 : 1)

prerequisites:
	@command -v cargo >/dev/null || { echo 'Doorlist needs Rust: install it from https://rustup.rs and open a new shell.' >&2; exit 1; }
	@command -v cc >/dev/null || { echo 'Doorlist needs a C linker: apt-get install build-essential (macOS: xcode-select --install).' >&2; exit 1; }
	@command -v node >/dev/null && node -e '$(NODE_IS_NEW_ENOUGH)' \
	  || { echo "Doorlist needs Node.js 20.19, or 22.12 or newer (here: $$(node --version 2>/dev/null || echo none)): https://nodejs.org/en/download" >&2; exit 1; }

wasm-target: prerequisites
	@[ -d "$$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ] || { \
	  command -v rustup >/dev/null || { echo 'Doorlist needs the wasm32-unknown-unknown target of your Rust toolchain.' >&2; exit 1; }; \
	  printf '\033[1mdoorlist\033[0m  %s\n' 'adding the wasm32-unknown-unknown target'; \
	  rustup target add wasm32-unknown-unknown; }

$(WASM_BINDGEN): | prerequisites
	$(say) 'installing wasm-bindgen-cli $(WASM_BINDGEN_VERSION) (once, about 3 minutes)'
	@cargo install --quiet wasm-bindgen-cli --version $(WASM_BINDGEN_VERSION) --root $(CACHE)/wasm-bindgen-$(WASM_BINDGEN_VERSION)

$(WASM_PACK): | prerequisites
	$(say) 'installing wasm-pack $(WASM_PACK_VERSION) (once, about 3 minutes)'
	@cargo install --quiet --locked wasm-pack --version $(WASM_PACK_VERSION) --root $(CACHE)/wasm-pack-$(WASM_PACK_VERSION)

%/node_modules/.package-lock.json: %/package-lock.json | prerequisites
	$(say) 'installing npm packages of $*'
	@cd $* && npm ci --no-audit --no-fund
	@touch $@

# Tests drive a real Chromium and a real Firefox; the demo uses a Chromium where it finds one.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || [ -n "$${CHROMIUM:-}" ] || \
	  $(call apt-get,chromium,The tests need Chromium: install it or name it in CHROMIUM=/path/to/chrome.)

firefox:
	@command -v firefox-esr >/dev/null || command -v firefox >/dev/null || [ -n "$${FIREFOX:-}" ] || [ -x /Applications/Firefox.app/Contents/MacOS/firefox ] || \
	  $(call apt-get,firefox-esr,The tests need Firefox: install it or name it in FIREFOX=/path/to/firefox.)

# Counts are of one platform only, and not asked for elsewhere.
valgrind:
	@[ "$$(uname -sm)" != 'Linux x86_64' ] || command -v valgrind >/dev/null || \
	  $(call apt-get,valgrind,The tests count instructions with valgrind: install it.)

# Tests step the clock of an issuer, where a library can do that to a process.
faketime:
	@[ "$$(uname -s)" != Linux ] || compgen -G '/usr/lib*/*/faketime/libfaketime.so.1' >/dev/null || compgen -G '/usr/lib*/faketime/libfaketime.so.1' >/dev/null || \
	  $(call apt-get,libfaketime,The tests need libfaketime: install it.)

REDIS_NEEDED := The tests need redis-server 7.0 or newer: https://redis.io/docs/latest/operate/oss_and_stack/install/ (macOS: brew install redis).

# Tests start servers of their own on free ports, and need no service; where there is a valkey-server they use it too.
redis:
	@command -v redis-server >/dev/null || \
	  $(call apt-get,redis-server,$(REDIS_NEEDED))
	@version=$$(redis-server --version | sed -n 's/.* v=\([0-9]*\)\..*/\1/p'); [ "$${version:-0}" -ge 7 ] || { \
	  redis-server --version >&2; echo '$(REDIS_NEEDED)' >&2; exit 1; }
	@command -v valkey-server >/dev/null || printf '\033[1mdoorlist\033[0m  %s\n' 'no valkey-server on the PATH: the store is tested on Redis only'
