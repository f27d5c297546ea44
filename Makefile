# make demo | demo-view | test | soak | lint | bench | clean, from a bare Debian or Ubuntu with Python 3.10 or newer.
#
# Another build of torch:  make TORCH="torch==2.13.0 --index-url URL" demo
# Another interpreter:     make PYTHON=python3.12 demo

PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV ?= .venv
# The browser viewer needs another slicer-core, and so an environment of its own.
VIEW_VENV ?= .venv-view

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
VIEW_BIN := $(VIEW_VENV)/bin
VIEW_STAMP := $(VIEW_VENV)/.installed
# Two OpenMP threads on a busy two-core machine wait for each other.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo demo-view test test-view soak weights lint bench clean

help:
	@sed -n '1,4s/^# \{0,1\}//p' Makefile

demo: $(STAMP)
	$(BIN)/samunet demo --out out/demo

demo-view: $(VIEW_STAMP)
	$(VIEW_BIN)/samunet view Resources/SampleData/ts_ct512.nii.gz --window abdomen --out out/view

# Everything: the browser viewer's tests beside the others; Testing/README.md says how to run a part.
test: weights qt $(VIEW_STAMP) chromium
	@$(BIN)/python Testing/whole_suite.py $(abspath $(VIEW_BIN))/python

test-view: $(VIEW_STAMP) chromium
	$(TEST_VIEW)

# The browser viewer, in a real browser.
TEST_VIEW = SAMUNET_TEST_VIEW=1 $(VIEW_BIN)/python -m pytest Testing/viewer

# Two published networks that tests and benchmarks compare with, about 40 MB each, fetched once.
weights: $(STAMP)
	$(BIN)/samunet models get litemedsam --yes
	$(BIN)/samunet models get mobilesam --yes

# Kills commands for 20 minutes and makes 5,000 predictions: SEED=1 kills at other moments.
SEED ?= 0
soak: $(STAMP) $(VIEW_STAMP)
	$(BIN)/python Testing/soak/soak.py --seed $(SEED) --view-python $(VIEW_BIN)/python

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

BENCHMARKS := $(filter-out %/bench_view.py,$(wildcard Testing/benchmarks/bench_*.py))

bench: weights $(VIEW_STAMP) chromium
	for script in $(BENCHMARKS); do $(BIN)/python $$script || exit 1; done
	$(VIEW_BIN)/python Testing/benchmarks/bench_view.py

clean:
	rm -rf $(VENV) $(VIEW_VENV) out build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Installed again only when the dependencies change.
$(STAMP): pyproject.toml
	$(call install,test)

$(VIEW_STAMP): pyproject.toml
	$(call install,view-test)

# An environment in the target's folder, with these extras of the package.
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
  || { echo "Python 3.10 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(MAKE) --no-print-directory venv-package
test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
$(@D)/bin/python -m pip install --disable-pip-version-check $(TORCH)
$(@D)/bin/python -m pip install --disable-pip-version-check --quiet --editable .[$(1)]
touch $@
endef

# The browser of the viewer's tests, and what draws the views without a screen.
CHROMIUM_PACKAGES := chromium libegl1 libgl1-mesa-dri
.PHONY: chromium
chromium: $(VIEW_STAMP)
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null && \
	$(VIEW_BIN)/python -c 'import ctypes.util, sys; sys.exit(not ctypes.util.find_library("EGL"))' || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && apt-get install -y -q --no-install-recommends $(CHROMIUM_PACKAGES); \
	else \
	  echo "The viewer's tests need a browser: sudo apt-get install $(CHROMIUM_PACKAGES)" >&2; exit 1; \
	fi

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
