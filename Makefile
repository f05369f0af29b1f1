# Verbs shared by people and CI. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export GX_ANALYTICS_ENABLED := false

.PHONY: help demo test timescale prove setup setup-dev lint format bench lock clean

help:  ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# --no-deps because a lock is complete, so nothing unlisted can slip in. Twice quiet: pip warns of
# every index that it is configured for and cannot see.
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check
INSTALL := $(PIP) install --no-deps --require-hashes --only-binary :all:

$(VENV)/.runtime: requirements/runtime.txt requirements/samples.txt pyproject.toml
	@"$(PYTHON)" -c 'import sys; v = sys.version_info[:2]; v == (3, 11) or sys.exit(f"Python 3.11 is needed, {sys.executable} is {v[0]}.{v[1]}. Name one: make PYTHON=/path/to/python3.11")'
	@echo "setting up $(VENV) (about two minutes on a first run)"
	@"$(PYTHON)" -m venv $(VENV)
	@$(INSTALL) -r requirements/runtime.txt -r requirements/samples.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m warehouse.dbt_environment
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "adding linters, test tools and oracles"
	@$(INSTALL) -r requirements/dev.txt
	@touch $@

setup: $(VENV)/.runtime  ## create .venv and install the command `warehouse`
setup-dev: $(VENV)/.dev  ## the same with linters, test tools and oracles

demo: setup  ## land real prices, gate, build, test, report
	@$(BIN)/warehouse demo

# A worker a core, with a server of its own: whole files each, as a file shares what it has landed.
WORKERS := --numprocesses logical --maxprocesses 4 --dist loadfile
test: setup-dev  ## every test, those that need servers included
	@$(BIN)/python -m pytest $(WORKERS)

timescale: setup-dev  ## install Debian's TimescaleDB into .timescale, for the tests (root)
	@$(BIN)/python tests/python/timescale.py

MINUTES ?= 30
prove: setup-dev  ## search random histories for one that breaks the law of incremental builds
	@PROVE_MINUTES=$(MINUTES) $(BIN)/python -m pytest -q -s tests/python/test_stateful.py -k test_prove

# sqlfluff renders the models with dbt, which looks at relations: it needs a server with the seeds.
# It parses before the adapter is registered, so the adapter's own configs look unknown to it: what
# is deprecated is judged by `dbt parse` above it.
lint: setup-dev  ## check style, types, SQL and the dbt project
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/yamllint --strict .
	@$(BIN)/python -m warehouse.checksums
	@$(BIN)/dbt --quiet --warn-error-options '{"error": "all"}' parse --no-partial-parse
	@$(BIN)/dbt-bouncer run --config-file dbt-bouncer.yml
	@$(BIN)/warehouse up >/dev/null && $(BIN)/warehouse migrate >/dev/null && $(BIN)/dbt --quiet seed
	@$(BIN)/python -m warehouse.catalog --check
	@$(BIN)/python -m warehouse.table_docs --check
	@DBT_WARN_ERROR_OPTIONS='{"error": []}' $(BIN)/sqlfluff lint --disable-progress-bar \
	    --templater dbt --processes 1 models $(wildcard tests/data)
	@$(BIN)/sqlfluff lint --disable-progress-bar functions tests/generic docs/queries

format: setup-dev  ## rewrite Python and SQL in the project's style
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .
	@$(BIN)/sqlfluff fix --quiet models functions tests docs/queries

bench: setup-dev  ## measure at full scale and write docs/benchmarks.md (about an hour)
	@$(BIN)/python -m benchmarks

lock:  ## resolve pyproject.toml into requirements/*.txt again (needs uv)
	@for extra in runtime dev; do \
	  uv pip compile --quiet --python-version 3.11 --only-binary :all: --generate-hashes --no-annotate \
	    $$([ $$extra = dev ] && echo --extra dev) pyproject.toml --custom-compile-command 'make lock' --output-file requirements/$$extra.txt; done
	@uv pip compile --quiet --python-version 3.11 --no-deps --generate-hashes --no-annotate --custom-compile-command 'make lock' \
	    requirements/samples.in --output-file requirements/samples.txt

clean:  ## remove caches and build output; data (.warehouse) and .venv stay
	@rm -rf target logs build .pytest_cache .mypy_cache .ruff_cache .hypothesis scripts/*.egg-info
	@find scripts tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +
