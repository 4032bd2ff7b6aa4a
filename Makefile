# Every recipe here is what CI runs (.ci/run). `make demo` and `make test` set themselves up.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
DEMO := $(VENV)/.installed-demo
DEV := $(VENV)/.installed-dev
BENCH := $(VENV)/.installed-bench
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Installs this tree, $(1) being its extras in brackets; on the way maturin builds the engine.
define INSTALL
@echo "installing packages into $(VENV) and building the engine (once; a minute or two) ..." >&2
rust=$$(.ci/find-rust); PATH="$${rust:+$$rust:}$$PATH" $(PIP) --editable '.$(1)' || { \
	echo "If it is Rust that is missing: install Rust 1.88 or newer and a C compiler" \
		"(Debian: apt-get install rustc-web cargo-web gcc), and run this again." >&2; exit 1; }
endef
# What the engine is built from: with it the installation is done anew.
ENGINE := engine/Cargo.toml engine/Cargo.lock $(shell find engine/src -name '*.rs')
# More words for the command that a recipe runs: make test ARGS="-k emit"
ARGS ?=
export PYTHON

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(DEMO) ## The whole thing on this machine: real purchases climb ladders (ARGS="--customers all")
	$(BIN)/ladder demo $(ARGS)

.PHONY: test
test: $(DEV) ## All tests but the slow ones; those that need Apache Kafka fetch it with Maven
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

.PHONY: faults
faults: $(DEV) ## The slow tests: sixteen kinds of faults on three brokers, and what came of each
	$(BIN)/python -m pytest -m slow $(ARGS)

# How long `make soak` goes on.
MINUTES ?= 10
.PHONY: soak
soak: $(DEV) ## Faults of all kinds by chance, for a while (MINUTES=30)
	$(BIN)/python -m tests.faults.soak --minutes $(MINUTES) $(ARGS)

.PHONY: lint
lint: $(DEV) ## Style, and imports that go one way
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

.PHONY: types
types: $(DEV) ## mypy, strict, on app and tests
	$(BIN)/mypy

CARGO := cargo
.PHONY: engine
engine: ## The engine alone: style, clippy without a warning, tests (needs Rust on the path)
	cd engine && $(CARGO) fmt --check
	cd engine && $(CARGO) clippy --quiet --locked --all-targets --features python -- -D warnings
	cd engine && $(CARGO) test --quiet --locked

# How many seconds each target of `make fuzz` goes on.
FUZZ_SECONDS ?= 15
FUZZED := $(basename $(notdir $(wildcard engine/fuzz/fuzz_targets/*.rs)))
.PHONY: fuzz
fuzz: ## Bytes by chance to every reader of the engine, 15 s each (FUZZ_SECONDS=600)
	$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install --quiet --locked cargo-fuzz
	cd engine && for target in $(FUZZED); do \
		found=fuzz/target/found/$$target; mkdir -p $$found; \
		$(CARGO) fuzz run -s none $$target $$found fuzz/corpus/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1; done

.PHONY: bench
bench: $(BENCH) ## How fast it is, in one run on this machine
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: bench-peers
bench-peers: $(BENCH) ## How fast beside Kafka Streams, Quix Streams and Faust (JDK 17, Maven; 40 minutes)
	$(BIN)/python -m benchmarks.peers $(ARGS)

.PHONY: check
check: lint types test ## What to run before a commit

.PHONY: lock
lock: $(DEV) ## requirements.lock and the build's, from pyproject.toml (ARGS=--upgrade: all of it anew)
	$(BIN)/python -m docs.make_lock $(ARGS)

.PHONY: digests
digests: $(DEV) ## The images of others by what their tags stand for now (needs Docker and the network)
	$(BIN)/python -m docs.make_digests $(ARGS)

.PHONY: setup
setup: $(DEV) ## The virtual environment with everything for development

.PHONY: clean
clean: ## Removes what these recipes made; data and .env stay
	rm -rf $(VENV) build dist engine/target engine/fuzz/target app/_engine*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find app tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	python=$$(.ci/find-python) && "$$python" -m venv $(VENV)

$(DEMO): pyproject.toml $(ENGINE) | $(BIN)/python
	$(call INSTALL,[embedded])
	touch $@

$(DEV): pyproject.toml $(ENGINE) | $(BIN)/python
	$(call INSTALL,[dev])
	touch $@ $(DEMO)

$(BENCH): $(DEV)
	$(call INSTALL,[bench])
	touch $@
