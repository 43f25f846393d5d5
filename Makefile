# The README's two commands are `make demo` and `make test`. Each command installs the programs that it still needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Tools are built once and kept outside the clone, so that other clones can use them.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/doorlist
WASM_BINDGEN_VERSION := $(shell sed -n '/^name = "wasm-bindgen"$$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
WASM_PACK_VERSION := 0.15.1
RUST_VERSION := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
WASM_BINDGEN := $(CACHE)/wasm-bindgen-$(WASM_BINDGEN_VERSION)/bin/wasm-bindgen
WASM_PACK := $(CACHE)/wasm-pack-$(WASM_PACK_VERSION)/bin/wasm-pack
# Tools of cargo that few targets need. Each tool is built without optimisation, and is installed only once.
CARGO_DENY := $(CACHE)/cargo-deny-0.20.2/bin/cargo-deny
CARGO_FUZZ := $(CACHE)/cargo-fuzz-0.13.2/bin/cargo-fuzz
CARGO_LLVM_COV := $(CACHE)/cargo-llvm-cov-0.9.1/bin/cargo-llvm-cov
CARGO_MACHETE := $(CACHE)/cargo-machete-0.9.2/bin/cargo-machete
CARGO_MUTANTS := $(CACHE)/cargo-mutants-27.1.0/bin/cargo-mutants
CARGO_SEMVER_CHECKS := $(CACHE)/cargo-semver-checks-0.51.0/bin/cargo-semver-checks
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Packages outside the workspace have their own lock files. In one target folder, their outputs would get
# mixed up.
BENCH_TARGET := $(TARGET)/bench
SIGNATURE_MAKER := $(TARGET)/debug/examples/signature_cases
export PATH := $(CURDIR)/js/node_modules/.bin:$(dir $(WASM_BINDGEN)):$(dir $(WASM_PACK)):$(PATH)

say = @printf '\033[1mdoorlist\033[0m  %s\n'

# Shows the progress of a step: $(call watched,lines to show: none packages all,what it does,what to do if it fails) command
watched = node $(CURDIR)/tests/setup/progress.mjs $(1) '$(2)' '$(3)'
ONLINE := It needs the network (behind a proxy: HTTPS_PROXY). Run the same command again: what is installed already stays.
SEE_ABOVE := The reason is above.

# Installs a Debian package: $(call apt-get,package,what to print if that fails)
apt-get = tests/setup/apt.sh $(1) '$(2)'

.PHONY: help demo demo-browser test check style bare matrix chaos attack bench differential fuzz reproducible sbom g++ deny semver coverage mutants packages build load package issuer doc test-rust test-js fences instructions lint notices prerequisites \
  wasm-target browser firefox valgrind redis nginx faketime debootstrap clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build demo-browser ## Kick a user and watch every verifier refuse her (PORT=8788: use this port; ONCE=1: end afterwards)
	@DOORLIST_BINARY=$(or $(DOORLIST_BINARY),$(TARGET)/release/doorlist) node js/demo/demo.mjs $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

test: prerequisites browser firefox valgrind redis nginx faketime ## Install what the tests need, and run all tests
	@$(MAKE) style test-rust fences instructions package test-js

check: prerequisites js/node_modules/.package-lock.json ## Run this while you work: formatting, linters and unit tests (2 minutes)
	@$(MAKE) style
	@$(call watched,all,running the unit tests,$(SEE_ABOVE)) cargo test --workspace --lib
	@[ ! -d js/wasm ] || { cd js && $(call watched,all,running the unit tests of the package,$(SEE_ABOVE)) npm test --silent; }

bare: prerequisites wasm-target debootstrap ## Run the demo with only the README's requirements installed (30 minutes; RUN=hidden or root; REUSE=1: 5 minutes)
	@node tests/setup/bare.mjs $(RUN) $(if $(MAKE_TARGETS),-- $(MAKE_TARGETS))

matrix: package browser ## Test the package in each tool of the table in js/README.md (ROW=jest: only this row; 30 minutes the first time)
	@cd js && ROW='$(ROW)' node --import tsx packaging/matrix/run.mjs

chaos: prerequisites redis faketime ## Test issuers and Redis under load: crashes, lost connections, full memory, stepped clocks (10 minutes; MINUTES=)
	@MINUTES=$(MINUTES) node tests/stories/chaos.mjs

attack: issuer ## Flood the issuer from one client, and measure what other clients notice (3 minutes)
	@DOORLIST_BINARY=$(TARGET)/release/doorlist node tests/attack/attack.mjs

bench: build load browser tests/bench/node_modules/.package-lock.json ## Measure and compare with other libraries; writes tests/bench/RESULTS.md (5 minutes)
	$(say) 'measuring; leave the machine alone meanwhile'
	@cd tests/bench && DOORLIST_BINARY=$(TARGET)/release/doorlist DOORLIST_LOAD=$(BENCH_TARGET)/load/release/doorlist-load \
	  DOORLIST_LOOKUP=$(BENCH_TARGET)/lookup/wasm32-unknown-unknown/release/doorlist_lookup.wasm CARGO_TARGET_DIR=$(BENCH_TARGET)/core \
	  npm run --silent bench

differential: package ## Compare a million signature checks with unmodified ed25519-dalek, and a million damaged tokens with jose (15 minutes)
	@cargo build --workspace --example signature_cases
	@DOORLIST_SIGNATURE_CASES=1000000 cargo test --package doorlist-verifier --lib both_agree_on_random_and_damaged_signatures
	@DOORLIST_WASM_SIGNATURE_CASES=1000000 DOORLIST_SIGNATURE_MAKER=$(SIGNATURE_MAKER) node --test tests/js/signatures.test.mjs
	@DOORLIST_TOKEN_CASES=1000000 node --test tests/js/mutated-tokens.test.mjs

fuzz: prerequisites g++ $(CARGO_FUZZ) ## Feed damaged bytes to everything that reads bytes of strangers (11 minutes; TARGET=token: only this target; SECONDS=60)
	@node tests/fuzz/fuzz.mjs $(CARGO_FUZZ) --seconds $(or $(SECONDS),60) $(if $(filter command line,$(origin TARGET)),--target $(TARGET))

reproducible: prerequisites wasm-target $(WASM_BINDGEN) $(WASM_PACK) js/node_modules/.package-lock.json ## Build the WebAssembly in two folders and compare the bytes (5 minutes)
	$(say) 'building the WebAssembly module twice'
	@$(call watched,all,building the WebAssembly module twice,$(SEE_ABOVE)) node tests/setup/reproducible.mjs

sbom: prerequisites ## List the software in the binary and in the npm package (CycloneDX): target/sbom
	@node tests/setup/sbom.mjs $(TARGET)/sbom

deny: DENY_CHECKS = bans licenses sources$(if $(ADVISORIES), advisories)
deny: $(CARGO_DENY) $(CARGO_MACHETE) ## Check licences, sources and versions of the dependencies, and find unused ones (ADVISORIES=1: also known faults, of npm packages too)
	$(say) 'dependencies: $(DENY_CHECKS)'
	@$(CARGO_DENY) --all-features check --hide-inclusion-graph $(DENY_CHECKS)
	@$(CARGO_MACHETE) issuer verifier-wasm tests/bench tests/fuzz
	@$(if $(ADVISORIES),cd js && npm audit --audit-level=high,true)

semver: $(CARGO_SEMVER_CHECKS) ## Compare the public API of the crate doorlist-verifier with the last release (SINCE=v0.1.0: with this tag)
	@release='$(or $(SINCE),$(shell git describe --tags --abbrev=0 --match 'v*' 2>/dev/null))'; \
	[ -n "$$release" ] || { echo 'This clone has no tag of a release, so there is nothing to compare with (git fetch --tags).'; exit 0; }; \
	$(CARGO_SEMVER_CHECKS) semver-checks --package doorlist-verifier --baseline-rev "$$release"

coverage: $(CARGO_LLVM_COV) package ## Measure which lines and branches the unit tests reach (5 minutes)
	@tests/setup/coverage.sh $(CARGO_LLVM_COV)

mutants: $(CARGO_MUTANTS) ## Change the rules and the verifier one place at a time; a test must fail for each (hours; ONLY=issuer/src/domain/heal.rs: this file)
	@tests/setup/mutants.sh $(CARGO_MUTANTS) $(ONLY)

packages: package ## Make the packages for crates.io and npm; uploads nothing
	@cargo package --package doorlist --package doorlist-verifier
	@cd js && npm pack --dry-run

build: package issuer ## Build the npm package and the issuer

## Steps

# The stories that tests/stories/main.rs lists under "Once".
NOT_ON_A_PAIR := $(shell awk '/^\/\/ (Once|Twice):/ { once = /Once/ } once && /^mod / { sub(";", "::", $$2); print $$2 }' tests/stories/main.rs)

# Warnings are errors. Clippy also refuses features that are newer than the oldest supported Rust version.
style: prerequisites js/node_modules/.package-lock.json
	$(say) 'formatting and linters'
	@{ cargo clippy --version && cargo fmt --version; } >/dev/null 2>&1 || { \
	  echo 'The linters need clippy and rustfmt: rustup component add clippy rustfmt' >&2; exit 1; }
	@cargo fmt --check
	@cargo fmt --check --manifest-path tests/bench/load/Cargo.toml
	@cargo fmt --check --manifest-path tests/bench/lookup/Cargo.toml --package doorlist-lookup
	@cargo fmt --check --manifest-path tests/bench/core/Cargo.toml --package doorlist-core
	@cargo fmt --check --manifest-path tests/fuzz/Cargo.toml --package doorlist-fuzz
	@$(call watched,packages,running clippy,$(SEE_ABOVE)) cargo clippy --workspace --all-targets -- --deny warnings
	@$(MAKE) doc
	@cd js && $(call watched,all,running the linters of the package,$(SEE_ABOVE)) npm run --silent lint

doc: prerequisites ## Make the documentation of the crates, with their private items: target/doc
	@RUSTDOCFLAGS='--deny warnings' $(call watched,packages,making the documentation of the crates,$(SEE_ABOVE)) \
	  cargo doc --workspace --no-deps --document-private-items

test-rust:
	$(say) 'Rust tests'
	@$(call watched,all,running the Rust tests,$(SEE_ABOVE)) cargo test --workspace
	$(say) 'the stories that two issuers on one Redis can change, on such a pair'
	@DOORLIST_STORIES=pair $(call watched,all,running the stories on two issuers,$(SEE_ABOVE)) \
	  cargo test --package doorlist --test stories -- $(addprefix --skip=,$(NOT_ON_A_PAIR))

test-js: package
	$(say) 'JavaScript tests'
	@# Selects the same packages as `test-rust`. With another selection, cargo would build most dependencies again.
	@$(call watched,packages,building the issuer for the tests,$(SEE_ABOVE)) cargo test --workspace --no-run
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

# The dependencies that each side must never have (verifier-wasm/FORMAT.md).
fences: wasm-target
	$(say) 'dependency fences'
	@tree=$$(cargo tree --quiet --package doorlist --edges normal --prefix none); \
	if grep '^wasm-bindgen ' <<< "$$tree"; then \
	  echo 'The issuer depends on wasm-bindgen; only the wasm build may.' >&2; exit 1; fi
	@tree=$$(cargo tree --quiet --package doorlist-verifier --edges normal --prefix none --target wasm32-unknown-unknown); \
	if grep -E '^(tokio|redis|getrandom) ' <<< "$$tree"; then \
	  echo 'The wasm build depends on I/O, a store or randomness; the verifier has none.' >&2; exit 1; fi

# The count must not depend on the processor, so neither the curve nor the hash may choose code by CPU features.
instructions: export RUSTFLAGS := --cfg curve25519_dalek_backend="serial" --cfg sha2_backend="soft"
instructions: prerequisites valgrind ## Count the instructions of a verification (RENEW=1: store the new counts)
	$(say) 'instructions of one native verification'
	@cargo build --quiet --release --manifest-path tests/bench/core/Cargo.toml --target-dir $(TARGET)/instructions --bin instructions
	@node tests/bench/core/instructions.mjs $(if $(RENEW),--renew) $(TARGET)/instructions/release/instructions

lint: style ## Run every linter, also on the benchmarks
	@for package in load lookup core; do \
	  cargo clippy --manifest-path tests/bench/$$package/Cargo.toml --target-dir $(BENCH_TARGET)/$$package --all-targets -- --deny warnings; done

notices: prerequisites ## Write the notices of third-party software (run it after a change of dependencies)
	@node tests/setup/notices.mjs

clean: ## Remove all build outputs of this clone (tools in the cache stay)
	@cargo clean
	@rm -rf js/dist js/wasm js/{companions,express,fastify,hono,session,slim,stores,testing,verifier.wasm} js/node_modules js/packaging/nodes/node_modules js/examples/next/{node_modules,.next} tests/bench/node_modules

## Set-up

# Node 21 and the first versions of 22 lack features that the build tools need. The packages of these tools
# require the same range.
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

# Builds a tool without optimisation. This halves the build time of wasm-bindgen and wasm-pack. Both still process this
# package in about a second.
TOOL = CARGO_PROFILE_DEV_DEBUG=0 CARGO_FUTURE_INCOMPAT_REPORT_FREQUENCY=never cargo install --debug

$(WASM_BINDGEN): | prerequisites
	$(say) 'installing wasm-bindgen-cli $(WASM_BINDGEN_VERSION) (once, about 2 minutes)'
	@$(call watched,packages,installing wasm-bindgen-cli,$(ONLINE)) env $(TOOL) wasm-bindgen-cli --bin wasm-bindgen --version $(WASM_BINDGEN_VERSION) --root $(CACHE)/wasm-bindgen-$(WASM_BINDGEN_VERSION)

$(WASM_PACK): | prerequisites
	$(say) 'installing wasm-pack $(WASM_PACK_VERSION) (once, about 2 minutes)'
	@$(call watched,packages,installing wasm-pack,$(ONLINE)) env $(TOOL) --locked wasm-pack --version $(WASM_PACK_VERSION) --root $(CACHE)/wasm-pack-$(WASM_PACK_VERSION)

$(CACHE)/cargo-%: | prerequisites
	$(say) 'installing $(notdir $@) (once, some minutes)'
	@$(call watched,packages,installing $(notdir $@),$(ONLINE)) env $(TOOL) $(notdir $@) \
	  --version $(lastword $(subst -, ,$(abspath $(@D)/..))) --root $(abspath $(@D)/..)

%/node_modules/.package-lock.json: %/package-lock.json | prerequisites
	$(say) 'installing npm packages of $*'
	@cd $* && $(call watched,packages,installing npm packages of $*,$(ONLINE)) \
	  npm ci --include=dev --include=optional --no-audit --no-fund --no-update-notifier
	@touch $@

HAS = node js/packaging/programs.mjs $(1) >/dev/null

# The demo also shows a browser. If no browser can be installed without a password, the demo says so and continues
# without a browser.
demo-browser: prerequisites
	@$(call HAS,chromium) || NO_PASSWORD=1 $(call apt-get,chromium,The demo goes on without a browser.) || true

# Tests drive a real Chromium and a real Firefox. Ubuntu has both only as snaps. A snap can read only its
# own folder.
browser: prerequisites
	@$(call HAS,chromium) || \
	  $(call apt-get,chromium,The tests need Chromium: install it or name it in CHROMIUM=/path/to/chrome.)

firefox: prerequisites
	@$(call HAS,firefox) || \
	  $(call apt-get,firefox-esr,The tests need Firefox: install it or name it in FIREFOX=/path/to/firefox.)

# Instructions are counted on one platform only, so other platforms do not need valgrind.
valgrind:
	@[ "$$(uname -sm)" != 'Linux x86_64' ] || command -v valgrind >/dev/null || \
	  $(call apt-get,valgrind,The tests count instructions with valgrind: install it.)

# Tests step the clock of an issuer on platforms where a library can do this for a process.
faketime:
	@[ "$$(uname -s)" != Linux ] || compgen -G '/usr/lib*/*/faketime/libfaketime.so.1' >/dev/null || compgen -G '/usr/lib*/faketime/libfaketime.so.1' >/dev/null || \
	  $(call apt-get,libfaketime,The tests need libfaketime: install it.)

# The engine of the fuzz targets is C++.
g++:
	@command -v c++ >/dev/null || $(call apt-get,g++,Fuzzing needs a C++ compiler: install it.)

# `make bare` creates a fresh Debian to run in.
debootstrap:
	@command -v debootstrap >/dev/null || PATH="$$PATH:/usr/sbin" command -v debootstrap >/dev/null || \
	  $(call apt-get,debootstrap,A fresh root is made by debootstrap: install it.)

# A story restarts issuers behind its own nginx on a free port. It needs no system service.
nginx:
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || \
	  $(call apt-get,nginx-light,The tests need nginx: install it (macOS: brew install nginx).)

REDIS_NEEDED := The tests need redis-server 7.0 or newer: https://redis.io/docs/latest/operate/oss_and_stack/install/ (macOS: brew install redis).

# Tests start their own servers on free ports and need no system service. If there is a valkey-server, tests
# use it too.
redis:
	@command -v redis-server >/dev/null || \
	  $(call apt-get,redis-server,$(REDIS_NEEDED))
	@version=$$(redis-server --version | sed -n 's/.* v=\([0-9]*\)\..*/\1/p'); [ "$${version:-0}" -ge 7 ] || { \
	  redis-server --version >&2; echo '$(REDIS_NEEDED)' >&2; exit 1; }
	@command -v valkey-server >/dev/null || printf '\033[1mdoorlist\033[0m  %s\n' 'no valkey-server on the PATH: the store is tested on Redis only'
