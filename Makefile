# Verbs shared by people and CI. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export GX_ANALYTICS_ENABLED := false

.PHONY: help demo test setup setup-dev lint lock clean bench

help:  ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# One lock per purpose; --no-deps because a lock is complete, so nothing unlisted can slip in.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all:

$(VENV)/.runtime: requirements/runtime.txt requirements/samples.txt pyproject.toml
	@"$(PYTHON)" -c 'import sys; v = sys.version_info[:2]; v == (3, 11) or sys.exit(f"Python 3.11 is needed, {sys.executable} is {v[0]}.{v[1]}. Name one: make PYTHON=/path/to/python3.11")'
	@echo "setting up $(VENV) (about two minutes on a first run)"
	@"$(PYTHON)" -m venv $(VENV)
	@$(INSTALL) -r requirements/runtime.txt -r requirements/samples.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m warehouse.dbt_environment
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@$(INSTALL) -r requirements/dev.txt
	@touch $@

setup: $(VENV)/.runtime  ## create .venv and install the command `warehouse`
setup-dev: $(VENV)/.dev  ## the same with linters, test tools and oracles

demo: setup  ## land real prices, gate, build, test, report
	@$(BIN)/warehouse demo

test: setup-dev  ## every test, those that need servers included
	@$(BIN)/python -m pytest

lock:  ## resolve pyproject.toml into requirements/*.txt again (needs uv)
	@for extra in runtime dev; do \
	  uv pip compile --quiet --python-version 3.11 --only-binary :all: --generate-hashes --no-annotate \
	    $$([ $$extra = dev ] && echo --extra dev) pyproject.toml --custom-compile-command 'make lock' --output-file requirements/$$extra.txt; done
	@uv pip compile --quiet --python-version 3.11 --no-deps --generate-hashes --no-annotate --custom-compile-command 'make lock' \
	    requirements/samples.in --output-file requirements/samples.txt
