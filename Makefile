# make demo | test | lint | bench | clean, from a bare Debian or Ubuntu with Python 3.10 or newer.
#
# Another build of torch:  make TORCH="torch==2.13.0 --index-url URL" demo
# Another interpreter:     make PYTHON=python3.12 demo

PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV ?= .venv

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Two OpenMP threads on a busy two-core machine wait for each other.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test weights lint bench clean

help:
	@sed -n '1,4s/^# \{0,1\}//p' Makefile

demo: $(STAMP)
	$(BIN)/samunet demo --out out/demo

test: weights qt
	$(BIN)/python -m pytest

# Two published networks that tests and benchmarks compare with, about 40 MB each, fetched once.
weights: $(STAMP)
	$(BIN)/samunet models get litemedsam --yes
	$(BIN)/samunet models get mobilesam --yes

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: weights
	for script in Testing/benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) out build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Installed again only when the dependencies change.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "Python 3.10 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(MAKE) --no-print-directory venv-package
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[test]'
	touch $@

# Debian keeps a part of Python's venv in a package of its own.
.PHONY: venv-package
venv-package:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && apt-get install -y -q python3-venv; \
	else \
	  echo "Python's venv is missing: sudo apt-get install python3-venv" >&2; exit 1; \
	fi

# The tests of Slicer's panel need what Qt links to; nothing is shown on a screen.
QT_LIBRARIES := libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 fonts-dejavu-core
.PHONY: qt
qt: $(STAMP)
	@$(BIN)/python -c 'from PySide6 import QtWidgets' 2>/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && apt-get install -y -q $(QT_LIBRARIES); \
	else \
	  echo "Qt's libraries are missing: sudo apt-get install $(QT_LIBRARIES)" >&2; exit 1; \
	fi
