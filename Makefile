# The one entry. `make demo` shows the thing, `make test` proves it; both install
# what they need into .venv and nothing anywhere else.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
UV := $(VENV)/bin/uv --quiet
INSTALL := $(UV) pip install --python $(VENV)/bin/python
# No registry is asked for what builds the two distributions: it is pinned too.
EDITABLE := --no-deps --no-build-isolation -e sdk -e server
# What only developing needs would take memory in a server that is measured.
INSTALLED := .venvs/installed

.PHONY: help demo test check bench fmt dist clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.run ## a server, a small shop, real events, and the address of the page
	@$(VENV)/bin/clamp demo $(ARGS)

test: $(VENV)/.dev ## every test: the SDK on each Python that is here, and the server
	scripts/test-sdk-matrix
	cd server && ../$(VENV)/bin/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/.dev ## format, lint, types, layers, docs
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/codespell
	cd sdk && ../$(VENV)/bin/mypy
	cd server && ../$(VENV)/bin/mypy
	$(VENV)/bin/basedpyright
	cd sdk && ../$(VENV)/bin/python -m pytest -q tests/test_layers.py
	cd server && ../$(VENV)/bin/python -m pytest -q tests/test_layers.py tests/test_docs.py

bench: $(VENV)/.dev $(INSTALLED)/.run ## every figure that the README states, measured here and now
	$(VENV)/bin/python sdk/bench/run.py
	$(VENV)/bin/python sdk/bench/delivery.py
	$(VENV)/bin/python sdk/bench/middleware.py
	$(INSTALLED)/bin/python server/bench/ingest.py
	$(VENV)/bin/python server/bench/questions.py --quick

fmt: $(VENV)/.dev ## format, and mend what lint can mend
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

dist: $(VENV)/.dev ## sdist and wheel of both, installed clean and tried
	scripts/dist

clean: ## remove what the other targets made
	rm -rf $(VENV) .venvs build dist .coverage .mypy_cache .pytest_cache .ruff_cache

# What running needs, then what developing needs on top of it.
$(VENV)/.run: requirements/bootstrap.txt requirements/run.txt sdk/pyproject.toml server/pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or later is needed and no python3 was found"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit("make: Python 3.11 or later is needed, and $(PYTHON) is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	$(INSTALL) --require-hashes -r requirements/run.txt
	$(INSTALL) $(EDITABLE)
	@touch $@

$(INSTALLED)/.run: $(VENV)/.run
	test -x $(INSTALLED)/bin/python || $(VENV)/bin/python -m venv $(INSTALLED)
	$(UV) pip install --python $(INSTALLED)/bin/python --require-hashes -r requirements/run.txt
	$(UV) pip install --python $(INSTALLED)/bin/python $(EDITABLE)
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@
