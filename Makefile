# Needs Python 3.11 or newer, git and make. Everything else is installed into .venv and the cache folder.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: setup demo demo-down test check format docs lock bench clean

# The main job, end to end, on four real control planes. KEEP=1 leaves them running, SIMULATED=1 tells it without them.
demo: $(READY)
	@$(BIN)/python -m fleet.cli.demo $(if $(KEEP),--keep) $(if $(SIMULATED),--simulated)

# Ends what `make demo KEEP=1` left running.
demo-down: $(READY)
	@$(BIN)/python -m fleet.cli.demo --down

# Everything that a release needs, in two processes: one has the lab, the other all else.
test: $(READY)
	@$(BIN)/pytest -n 2 --dist loadgroup

# The fast half: form, types, layers, dead code.
check: $(READY)
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > .import_linter_cache/said 2>&1 || { cat .import_linter_cache/said; exit 1; }
	@$(BIN)/vulture
	@echo "check: all good"

format: $(READY)
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

# docs/policies.md, from the policies themselves.
docs: $(READY)
	@$(BIN)/python -m fleet.cli.handbook

bench: $(READY)
	@$(BIN)/python -m bench

# Pins and hashes, without any registry's address.
lock: $(READY)
	@command -v uv > /dev/null || { echo "make lock needs uv"; exit 2; }
	uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml --group dev -o requirements/dev.txt

setup: $(READY)

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "fleet needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "setting up .venv (once; about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q fleet || true  # as for what is installed: a third of every command's start
	@mkdir -p .import_linter_cache
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
