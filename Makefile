# `make help` lists what there is. Every target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SEED ?= 1
KILLS ?= 300
RUNS ?= 20
DAYS ?= 12
TASKS ?= 8
STORE ?= sqlite
EXECUTOR ?= local
BROKER ?= rabbitmq

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint check docs screenshots bench crash sim format clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP)  ## make .venv with everything, at the versions of uv.lock

$(STAMP): pyproject.toml uv.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --quiet --frozen --all-extras --compile-bytecode
	@$(BIN)/python -m compileall -q src
	@touch $@

demo: setup  ## the main job on real data: backfill January 2013 of the flights example, and serve it
	$(BIN)/python examples/flights/demo.py

test: setup  ## every test, properties with all their examples
	$(BIN)/python -m pytest -n 3 --dist worksteal --hypothesis-profile all

lint: setup  ## format, lint, layers, docs in step, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(BIN)/mypy

check: lint  ## what must be clean before a commit: lint, and the fast tests
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

docs: setup  ## write the generated reference pages anew
	$(BIN)/python docs/generate.py

screenshots: setup  ## all pages in light and dark at two widths to .screenshots/, and the pictures of the docs
	$(BIN)/python tests/browser/screenshots.py --pictures docs/pictures

bench: setup  ## measure: figures with ratios, as a table and JSON
	@$(BIN)/python -m compileall -q src
	$(BIN)/python benchmarks/run.py

crash: setup  ## the crash harness: SEED=1 KILLS=300 STORE=postgresql EXECUTOR=pull or celery; then logs of 5 GB
	STORE=$(STORE) EXECUTOR=$(EXECUTOR) BROKER=$(BROKER) $(BIN)/python tests/crash/harness.py --seed $(SEED) --kills $(KILLS)
	TMPDIR=/tmp LOG_BYTES=5000000000 $(BIN)/python -m pytest -n 0 tests/e2e/test_logs.py -k larger_than_memory

sim: setup  ## simulated histories of a scheduler and its users: SEED=1 RUNS=20 DAYS=12 TASKS=8 STORE=sqlite or postgresql
	STORE=$(STORE) $(BIN)/python tests/simulation/run.py --seed $(SEED) --runs $(RUNS) --days $(DAYS) --tasks $(TASKS)

format: setup  ## put the code into the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what make and tests left
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis demo .bench .crash .screenshots
