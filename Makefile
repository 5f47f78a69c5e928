# `make` prints this help. `make run` and `make test` need Python 3.11+ and make, and set everything else up themselves.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:

# The first Python on the path that is new enough. PYTHON=... chooses another; for an environment that is there already,
# `make clean` first.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SOURCES := authz_service ratelimit_service service_kit audit_log devstack bench conformance tests hatch_build.py
# What `make run` hands to `python -m devstack`, for example DEVSTACK_ARGS='--ports auto'.
DEVSTACK_ARGS ?=
# What `make bench` hands to `python -m bench`, for example BENCH_ARGS='--only gateway --json gateway.json'.
BENCH_ARGS ?=
# What `make demo` hands to `python -m devstack demo`, for example DEMO_ARGS=--json.
DEMO_ARGS ?=
# What `make conformance` hands to `python -m conformance`, for example CONFORMANCE_ARGS='--only jwt'.
CONFORMANCE_ARGS ?=
# What `make test` hands to pytest, for example PYTEST_ARGS='-k token -x', or '-n 0' for one process that --pdb can stop.
PYTEST_ARGS ?=
ON_EVERY_CORE := -n auto --maxprocesses 8 --dist worksteal

.PHONY: help
help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "; print "Agent Gateway\n"} /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): lock/bootstrap.txt lock/requirements.txt pyproject.toml hatch_build.py $(wildcard proto/*.proto)
	@# Without a Python and a uv that run, the environment is made anew: an earlier try may have been cut short anywhere.
	@{ $(BIN)/python -c '' && $(BIN)/uv --version; } >/dev/null 2>&1 || { \
		needs="Agent Gateway needs Python 3.11 or newer"; \
		test -n "$(PYTHON)" || { echo "$$needs, and found none. Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }; \
		version=$$("$(PYTHON)" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || { echo "$$needs; $(PYTHON) is not found, or is no Python" >&2; exit 1; }; \
		"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$needs; $(PYTHON) is $$version" >&2; exit 1; }; \
		"$(PYTHON)" -m venv --clear $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make virtual environments (its ensurepip is missing). Use a complete Python: make PYTHON=..." >&2; exit 1; }; \
		echo "Setting up $(VENV) (once; about a minute with cold caches)"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r lock/bootstrap.txt || { rm -rf $(VENV); exit 1; }; \
	}
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes lock/requirements.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(READY) ## Make the virtual environment and the generated messages (the other targets do it when needed)

.PHONY: run
run: $(READY) ## Start the whole gateway on this machine; Ctrl-C ends it (DEVSTACK_ARGS='--ports auto')
	@exec $(BIN)/python -m devstack $(DEVSTACK_ARGS)

.PHONY: demo
demo: $(READY) ## Send the sample requests through the running gateway and show what became of each
	@$(BIN)/python -m devstack demo $(DEMO_ARGS)

.PHONY: test
test: $(READY) ## Run every test, end to end through the real Envoy and Valkey included (PYTEST_ARGS='-k token')
	@$(BIN)/python -m pytest -m "not long" $(ON_EVERY_CORE) $(PYTEST_ARGS)

.PHONY: e2e
e2e: $(READY) ## Only the end-to-end tests
	@$(BIN)/python -m pytest -m "e2e and not long" $(PYTEST_ARGS)

.PHONY: e2e-long
e2e-long: $(READY) ## The end-to-end tests that take minutes
	@$(BIN)/python -m pytest -m "long and e2e" $(PYTEST_ARGS)

.PHONY: fuzz
fuzz: $(READY) ## Broken inputs by the hundred thousand, then the tests with rules on many more examples; an hour
	@$(BIN)/python -m pytest -rP -m long tests/fuzz $(PYTEST_ARGS)
	@HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -m "not long and not e2e" $(ON_EVERY_CORE) $(PYTEST_ARGS)

.PHONY: check
check: lint types ## Everything CI runs: format, lint, types, then the tests
	@$(MAKE) --no-print-directory test

.PHONY: lint
lint: $(READY) ## Check format and lint
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)

.PHONY: types
types: $(READY) ## Check types (mypy, strict)
	@$(BIN)/mypy

.PHONY: format
format: $(READY) ## Format the code and mend what lint can mend
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

.PHONY: proto
proto: $(READY) ## Generate the messages from proto/ again
	@$(BIN)/python hatch_build.py

.PHONY: bench
bench: $(READY) ## Measure the hot paths and the whole gateway on this machine; some twenty minutes (BENCH_ARGS='--only gateway')
	@$(BIN)/python -m bench $(BENCH_ARGS)

.PHONY: bench-peers
bench-peers: $(READY) ## Measure beside the peers, and write docs/benchmarks.md; needs go, fifteen minutes
	@$(BIN)/python -m bench.peers $(BENCH_ARGS)

.PHONY: bench-rego
bench-rego: $(READY) ## Measure the Rego engine beside regopy's, and beside opa where it is on PATH
	@$(BIN)/python -m bench.rego

.PHONY: bench-dlp
bench-dlp: $(READY) ## Measure detection: accuracy on a generated corpus, then speed (BENCH_ARGS='--only accuracy')
	@$(BIN)/python -m bench.dlp $(BENCH_ARGS)

.PHONY: bench-dlp-rivals
bench-dlp-rivals: $(READY) ## Get the scanners that `make bench-dlp` measures beside ours, into .bench/rivals (about 400 MB)
	@test -x .bench/rivals/bin/python || $(BIN)/python -m venv .bench/rivals
	@$(BIN)/uv pip install --quiet --python .bench/rivals/bin/python --group rivals

.PHONY: differential
differential: $(READY) ## Compare the Rego engine with its oracles on generated policies; minutes
	@$(BIN)/python -m pytest -rP -m long tests/differential $(PYTEST_ARGS)

.PHONY: conformance
conformance: $(READY) ## Run OPA's compliance cases (needs go, for the cases; with opa on PATH through its front end too)
	@$(BIN)/python -m conformance $(CONFORMANCE_ARGS)

.PHONY: lock
lock: $(READY) ## Resolve the dependencies anew into lock/ (every file with its hashes)
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--python-version 3.11 --extra opa --extra pyvoy --extra devstack --group dev pyproject.toml -o lock/requirements.txt
	@grep -A 30 '^uv==' lock/requirements.txt | awk 'NR == 1 || /^    --hash/ {print; next} {exit}' > lock/bootstrap.txt

.PHONY: clean
clean: ## Remove the environment, everything generated and every cache
	@rm -rf $(VENV) .devstack .bench service_kit/wire build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
