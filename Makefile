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
RUST_VERSION := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
WASM_BINDGEN := $(CACHE)/wasm-bindgen-$(WASM_BINDGEN_VERSION)/bin/wasm-bindgen
WASM_PACK := $(CACHE)/wasm-pack-$(WASM_PACK_VERSION)/bin/wasm-pack
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Packages outside the workspace have lock files of their own: in one folder, each would take another's for its own.
BENCH_TARGET := $(TARGET)/bench
SIGNATURE_MAKER := $(TARGET)/debug/examples/signature_cases
export PATH := $(CURDIR)/js/node_modules/.bin:$(dir $(WASM_BINDGEN)):$(dir $(WASM_PACK)):$(PATH)

say = @printf '\033[1mdoorlist\033[0m  %s\n'

# Shows that a step goes on: $(call watched,lines to show: none packages all,what it does,what to do if it fails) command
watched = node $(CURDIR)/tests/setup/progress.mjs $(1) '$(2)' '$(3)'
ONLINE := It needs the network (behind a proxy: HTTPS_PROXY). Run the same command again: what is installed already stays.
SEE_ABOVE := The reason is above.

# Installs a package of Debian's: $(call apt-get,package,what to say where that does not work)
apt-get = tests/setup/apt.sh $(1) '$(2)'

.PHONY: help demo demo-browser test bare matrix chaos bench differential build load package issuer test-rust test-js fences instructions lint notices prerequisites \
  wasm-target browser firefox valgrind redis nginx faketime debootstrap clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build demo-browser ## Kick a user and watch every verifier refuse her (PORT=8788: there; ONCE=1: then end)
	@DOORLIST_BINARY=$(or $(DOORLIST_BINARY),$(TARGET)/release/doorlist) node js/demo/demo.mjs $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

test: prerequisites browser firefox valgrind redis nginx faketime ## Set up what tests need, and run all of them
	@$(MAKE) test-rust fences instructions package test-js

bare: prerequisites wasm-target debootstrap ## make demo ONCE=1 where only what the README asks for is installed (30 minutes; RUN=hidden or root, REUSE=1: 5)
	@node tests/setup/bare.mjs $(RUN) $(if $(MAKE_TARGETS),-- $(MAKE_TARGETS))

matrix: package browser ## The package in each tool of the table in js/README.md (ROW=jest: one alone; 30 minutes the first time)
	@cd js && ROW='$(ROW)' node --import tsx packaging/matrix/run.mjs

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
ON_REDIS_ANYWAY := crash:: two_issuers:: store_ foreign_values:: clock_steps:: rolling_restart:: starting::

test-rust:
	$(say) 'Rust tests'
	@cargo fmt --check
	@cargo fmt --check --manifest-path tests/bench/load/Cargo.toml
	@cargo fmt --check --manifest-path tests/bench/lookup/Cargo.toml --package doorlist-lookup
	@cargo fmt --check --manifest-path tests/bench/core/Cargo.toml --package doorlist-core
	@$(call watched,all,running the Rust tests,$(SEE_ABOVE)) cargo test --workspace
	$(say) 'the stories again, each on two issuers and one Redis'
	@DOORLIST_STORIES=pair $(call watched,all,running the stories on two issuers,$(SEE_ABOVE)) \
	  cargo test --package doorlist --test stories -- $(addprefix --skip=,$(ON_REDIS_ANYWAY))

test-js: package
	$(say) 'JavaScript tests'
	@$(call watched,packages,building the issuer for the tests,$(SEE_ABOVE)) cargo build --package doorlist
	@$(call watched,packages,building the signature cases,$(SEE_ABOVE)) cargo build --workspace --example signature_cases
	@cd js && $(call watched,all,running the tests of the package,$(SEE_ABOVE)) sh -c 'npm test && npm run test:packaging'
	@cd js && DOORLIST_BINARY=$(TARGET)/debug/doorlist DOORLIST_SIGNATURE_MAKER=$(SIGNATURE_MAKER) \
	  $(call watched,all,running the stories in JavaScript,$(SEE_ABOVE)) npm run test:stories
	@DOORLIST_BINARY=$(TARGET)/debug/doorlist node js/demo/demo.mjs --once --all

issuer: prerequisites
	$(say) 'building the issuer (the first time takes about 4 minutes)'
	@$(call watched,packages,building the issuer,$(ONLINE)) cargo build --release --package doorlist

load: wasm-target
	$(say) 'building the load of the measurements'
	@cargo build --release --manifest-path tests/bench/load/Cargo.toml --target-dir $(BENCH_TARGET)/load
	@cargo build --release --manifest-path tests/bench/lookup/Cargo.toml --target-dir $(BENCH_TARGET)/lookup --target wasm32-unknown-unknown
	@cargo bench --no-run --manifest-path tests/bench/core/Cargo.toml --target-dir $(BENCH_TARGET)/core

package: prerequisites wasm-target $(WASM_BINDGEN) $(WASM_PACK) js/node_modules/.package-lock.json
	$(say) 'building the npm package'
	@cd js && $(call watched,packages,building the npm package,$(SEE_ABOVE)) npm run --silent build

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

notices: prerequisites ## Write the notices of third-party software (after a change of dependencies)
	@node tests/setup/notices.mjs

clean: ## Remove what was built here (tools in the cache stay)
	@cargo clean
	@rm -rf js/dist js/wasm js/{companions,express,fastify,hono,session,slim,stores,testing,verifier.wasm} js/node_modules js/packaging/nodes/node_modules js/examples/next/{node_modules,.next} tests/bench/node_modules

## Set-up

# 21 and the first of 22 lack what the build tools need; their packages name the same range.
NODE_IS_NEW_ENOUGH := const [major, minor] = process.versions.node.split(".").map(Number); \
  process.exit(major >= 23 || (major === 20 && minor >= 19) || (major === 22 && minor >= 12) ? 0 : 1)

prerequisites:
	@command -v cargo >/dev/null || { echo 'Doorlist needs Rust: install it from https://rustup.rs and open a new shell.' >&2; exit 1; }
	@printf '%s\n' '$(RUST_VERSION)' "$$(rustc --version | cut -d ' ' -f 2)" | sort -C -V \
	  || { echo "Doorlist needs Rust $(RUST_VERSION) or newer (here: $$(rustc --version)): rustup update stable" >&2; exit 1; }
	@command -v cc >/dev/null || { echo 'Doorlist needs a C linker: apt-get install build-essential (macOS: xcode-select --install).' >&2; exit 1; }
	@command -v node >/dev/null && node -e '$(NODE_IS_NEW_ENOUGH)' \
	  || { echo "Doorlist needs Node.js 20.19, or 22.12 or newer (here: $$(node --version 2>/dev/null || echo none)): https://nodejs.org/en/download" >&2; exit 1; }

wasm-target: prerequisites
	@[ -d "$$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ] || { \
	  command -v rustup >/dev/null || { echo 'Doorlist needs the wasm32-unknown-unknown target of your Rust toolchain.' >&2; exit 1; }; \
	  printf '\033[1mdoorlist\033[0m  %s\n' 'adding the wasm32-unknown-unknown target'; \
	  $(call watched,none,adding the wasm32-unknown-unknown target,$(ONLINE)) rustup target add wasm32-unknown-unknown; }

# Without optimisation these two are built in half the time, and still need about a second for this package.
TOOL = CARGO_PROFILE_DEV_DEBUG=0 cargo install --debug --locked

$(WASM_BINDGEN): | prerequisites
	$(say) 'installing wasm-bindgen-cli $(WASM_BINDGEN_VERSION) (once, about 2 minutes)'
	@$(call watched,packages,installing wasm-bindgen-cli,$(ONLINE)) env $(TOOL) wasm-bindgen-cli --bin wasm-bindgen --version $(WASM_BINDGEN_VERSION) --root $(CACHE)/wasm-bindgen-$(WASM_BINDGEN_VERSION)

$(WASM_PACK): | prerequisites
	$(say) 'installing wasm-pack $(WASM_PACK_VERSION) (once, about 2 minutes)'
	@$(call watched,packages,installing wasm-pack,$(ONLINE)) env $(TOOL) wasm-pack --version $(WASM_PACK_VERSION) --root $(CACHE)/wasm-pack-$(WASM_PACK_VERSION)

%/node_modules/.package-lock.json: %/package-lock.json | prerequisites
	$(say) 'installing npm packages of $*'
	@cd $* && $(call watched,packages,installing npm packages of $*,$(ONLINE)) \
	  npm ci --include=dev --include=optional --no-audit --no-fund --no-update-notifier
	@touch $@

HAS = node js/packaging/programs.mjs $(1) >/dev/null

# The demo shows a browser too. Where none can be had without a password, it goes on without, and says so.
demo-browser: prerequisites
	@$(call HAS,chromium) || NO_PASSWORD=1 $(call apt-get,chromium,The demo goes on without a browser.) || true

# Tests drive a real Chromium and a real Firefox. Ubuntu has both as snaps only, which see no folder but their own.
browser: prerequisites
	@$(call HAS,chromium) || \
	  $(call apt-get,chromium,The tests need Chromium: install it or name it in CHROMIUM=/path/to/chrome.)

firefox: prerequisites
	@$(call HAS,firefox) || \
	  $(call apt-get,firefox-esr,The tests need Firefox: install it or name it in FIREFOX=/path/to/firefox.)

# Counts are of one platform only, and not asked for elsewhere.
valgrind:
	@[ "$$(uname -sm)" != 'Linux x86_64' ] || command -v valgrind >/dev/null || \
	  $(call apt-get,valgrind,The tests count instructions with valgrind: install it.)

# Tests step the clock of an issuer, where a library can do that to a process.
faketime:
	@[ "$$(uname -s)" != Linux ] || compgen -G '/usr/lib*/*/faketime/libfaketime.so.1' >/dev/null || compgen -G '/usr/lib*/faketime/libfaketime.so.1' >/dev/null || \
	  $(call apt-get,libfaketime,The tests need libfaketime: install it.)

# `make bare` makes a fresh Debian to run in.
debootstrap:
	@command -v debootstrap >/dev/null || PATH="$$PATH:/usr/sbin" command -v debootstrap >/dev/null || \
	  $(call apt-get,debootstrap,A fresh root is made by debootstrap: install it.)

# A story restarts issuers behind an nginx of its own, on a free port; it needs no service.
nginx:
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || \
	  $(call apt-get,nginx-light,The tests need nginx: install it (macOS: brew install nginx).)

REDIS_NEEDED := The tests need redis-server 7.0 or newer: https://redis.io/docs/latest/operate/oss_and_stack/install/ (macOS: brew install redis).

# Tests start servers of their own on free ports, and need no service; where there is a valkey-server they use it too.
redis:
	@command -v redis-server >/dev/null || \
	  $(call apt-get,redis-server,$(REDIS_NEEDED))
	@version=$$(redis-server --version | sed -n 's/.* v=\([0-9]*\)\..*/\1/p'); [ "$${version:-0}" -ge 7 ] || { \
	  redis-server --version >&2; echo '$(REDIS_NEEDED)' >&2; exit 1; }
	@command -v valkey-server >/dev/null || printf '\033[1mdoorlist\033[0m  %s\n' 'no valkey-server on the PATH: the store is tested on Redis only'
