# make demo    set up the core and the boosters, then run the whole job on a simulated table
# make test    set up every extra, then run the whole suite
# make help    all targets

PYTHON ?= python3
VENV ?= .venv

BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --constraint constraints.txt
SETUP = pyproject.toml constraints.txt

# Two processes share the tests, one that is done with its half taking of the other's.
TOGETHER = --numprocesses 2 --dist worksteal

# One thread per process: libraries that share cores wait for each other.
test test-all: export OMP_NUM_THREADS = 1

.DEFAULT_GOAL := help
.PHONY: help env demo test test-all lint format bench bench-peers constraints clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## +/\t/' | expand -t 16

env: $(VENV)/.all  ## Make .venv with every extra

demo: $(VENV)/.demo  ## Run the main job on a simulated table whose faults are known
	$(BIN)/holdfast demo

test: $(VENV)/.all  ## Run the whole suite (long simulations in their short form)
	$(BIN)/python -m pytest -m "not slow" $(TOGETHER)

test-all: $(VENV)/.all  ## Run the whole suite with the long simulations
	$(BIN)/python -m pytest $(TOGETHER)

lint: $(VENV)/.all  ## Check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.all  ## Mend what style and formatting can mend by themselves
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.all  ## Measure how fast and how good, and write benchmarks/README.md
	$(BIN)/python -m benchmarks

# Each peer has an environment of its own: their pins do not fit together.
bench-peers: $(foreach peer,autogluon flaml mlflow sliceline,benchmarks/.envs/$(peer)/.ready)  ## Install what we are measured against

benchmarks/.envs/%/.ready: benchmarks/peers/requirements-%.txt
	$(PYTHON) -m venv benchmarks/.envs/$*
	grep '^torch==' $< | xargs -r benchmarks/.envs/$*/bin/python -m pip install --quiet
	benchmarks/.envs/$*/bin/python -m pip install --quiet --requirement $<
	touch $@

constraints:  ## Write constraints.txt anew from the newest versions that fit
	$(PYTHON) -m venv --clear .venv-constraints
	.venv-constraints/bin/python -m pip install --quiet --editable '.[all]'
	( head -n 1 constraints.txt; \
	  .venv-constraints/bin/python -m pip freeze --exclude-editable | sed -E 's/\+[a-z0-9.]+$$//' ) > constraints.new
	mv constraints.new constraints.txt
	rm -rf .venv-constraints

clean:  ## Remove what the other targets made
	rm -rf .venv .venv-constraints .pytest_cache .mypy_cache .ruff_cache holdfast-demo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Holdfast needs Python 3.11 or newer: make PYTHON=python3.12'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(SETUP) | $(BIN)/python
	$(PIP) --editable '.[boost]'
	touch $@

$(VENV)/.all: $(SETUP) | $(BIN)/python
	$(PIP) --editable '.[all]'
	touch $(VENV)/.demo $@
