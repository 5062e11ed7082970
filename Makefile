# Needs only python3 (>= 3.11, with venv) and make.
#   make demo    sets up .venv, trains on the built-in digits, judges, shows
#   make test    sets up .venv and runs the tests
#   make check   style, types and architecture
PY   ?= python3
VENV ?= .venv
BIN  := $(VENV)/bin
# CONSTRAINTS=/dev/null takes the newest releases instead of the ones CI uses.
CONSTRAINTS ?= constraints.txt
# uv does not read pip's settings: hand on its folder of wheels, and the system's certificates.
export UV_SYSTEM_CERTS ?= 1
export UV_FIND_LINKS ?= $(shell $(PY) -m pip config get global.find-links 2>/dev/null)
INSTALL = $(BIN)/uv pip install -q --python $(BIN)/python -c $(CONSTRAINTS)

.PHONY: demo test test-slow check format hooks clean

demo: $(VENV)/.demo
	@$(BIN)/maquette demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -q -m slow

check: $(VENV)/.dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

hooks: $(VENV)/.dev
	$(BIN)/pre-commit install

$(BIN)/uv:
	$(PY) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check uv

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/uv
	@echo "setting up $(VENV) (once, about a minute)"
	$(INSTALL) -e . && touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/uv
	@echo "setting up $(VENV) for development (once, about a minute)"
	$(INSTALL) -e ".[dev,export,track,hub]" && touch $@

clean:
	rm -rf $(VENV)
