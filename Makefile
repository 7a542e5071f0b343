# The newcomer's commands. `make demo` and `make test` set everything up by themselves.
PYTHON ?= python3
BIN := .venv/bin
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

# Most tests wait for servers and clocks, so two cores bear three workers, of one thread each; a file stays on one, so that what it
# sets up once is set up once.
# The longest file goes first, so that no worker begins it when the others are done.
PARALLEL ?= -n 3 --dist loadfile --no-loadscope-reorder
DECIDING := tests/unit/core tests/unit/flow
FAULTS := $(wildcard tests/faults/test_*.py)
LONGEST := tests/faults/test_bot.py
OTHERS := $(LONGEST) tests/unit $(filter-out $(LONGEST),$(FAULTS)) tests/contract tests/house tests/bench

# Tests and the demo start hundreds of processes: where nothing compiled is kept, each of them compiles the whole bot again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-all check cover bench bench-peers lock clean

setup: .venv/ready

# One stamp: a changed lock or package file re-installs, nothing else does. The lock is complete, so nothing is left to resolve: an old
# pip that resolves all the same takes a package's extra for a package of its own and wants its newest release. `pip check` has the last word.
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "aiops-bot needs Python 3.11 or newer, this is " + sys.version.split()[0] + ". Try: make $(MAKECMDGOALS) PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/pip check --quiet --disable-pip-version-check
	touch $@

# The whole story on this machine: one URL to open. `make demo ARGS="--headless"` plays it by itself.
demo: setup
	$(BIN)/aiops demo $(ARGS)

# Lint, types, who imports whom, then every test that is not slow: what CI runs. What keeps one core busy is done beside what keeps the
# other; the story, which starts a whole company, is played beside the browser, which mostly waits.
test: setup
	$(MAKE) --jobs=2 check cover
	OMP_NUM_THREADS=1 $(BIN)/pytest $(PARALLEL) -m "not slow" $(OTHERS) $(addprefix --ignore=,$(DECIDING))
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" tests/story tests/browser

# The slow ones too: real servers, many kills, and a search for examples that nobody has seen.
test-all: test
	OMP_NUM_THREADS=1 $(BIN)/pytest $(PARALLEL) -m "hypothesis and not slow" --hypothesis-profile=search tests/unit tests/contract
	$(BIN)/pytest -m slow

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config tests/house/contracts.ini

# Where decisions live, every branch is taken by a test.
cover: setup
	$(BIN)/pytest -n 2 $(DECIDING) --cov=bot.core --cov=bot.flow --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

# Ratios to bare reading, printed and never asserted; the data are made in a temporary folder. About six minutes.
bench: setup
	$(BIN)/python -m tests.bench.speed $(ARGS)
	$(BIN)/python -m tests.bench.pushed

# Only after a dependency has changed: hashed locks for developers and for the image. Needs uv.
lock:
	$(LOCK) --extra demo --extra test -o requirements.lock pyproject.toml
	$(LOCK) --constraint requirements.lock -o requirements-runtime.lock pyproject.toml

# Beside Evidently and NannyML, each in an environment of its own under the user's cache (3 GB, made once): the tables of tests/bench/README.md.
# Windows that nobody has seen: $(BIN)/python -m tests.bench.detection --alone --seed 1 --readme
bench-peers: setup
	$(BIN)/python -m tests.bench.peers
	$(BIN)/python -m tests.bench.detection --readme
	$(BIN)/python -m tests.bench.bench_peers

clean:
	rm -rf build dist *.egg-info htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find bot tests -name __pycache__ -type d -prune -exec rm -rf {} +
