# make demo   the main job on the sample flights, from a bare machine
# make check  everything a change has to pass
# The rest is listed by `make help`.

PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
CATALOGUES := survey/locale
FLIGHTS := $(sort $(wildcard sample_tiles/*_ortho.tif))
BEFORE := $(firstword $(FLIGHTS))
AFTER := $(lastword $(FLIGHTS))
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal --nbmake --nbmake-timeout=300
TESTED := tests survey change $(wildcard notebooks)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DELETE_ON_ERROR:
.PHONY: help demo check lint format types layers docs test test-full bench bench-detect wheel plugin \
	words cli-reference sample train lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

demo: $(VENV)/.installed ## the main job on the sample flights; installs what is missing
	$(BIN)/orthowatch detect $(BEFORE) $(AFTER) \
		--dsm-before $(BEFORE:_ortho.tif=_dsm.tif) --dsm-after $(AFTER:_ortho.tif=_dsm.tif) \
		--permits sample_tiles/permits.gpkg --townships sample_tiles/townships.geojson \
		--cells sample_tiles/cells.geojson -o demo_result
	@echo
	@echo "The results are in $(CURDIR)/demo_result:"
	@ls demo_result

check: lint types layers docs test ## everything a change has to pass

lint: $(VENV)/.installed-dev ## formatting, style, and notebooks without output
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(if $(NOTEBOOKS),$(BIN)/nbstripout --verify $(NOTEBOOKS))

format: $(VENV)/.installed-dev ## put files into the form that lint asks for
	$(BIN)/ruff check --fix-only --exit-zero .
	$(BIN)/ruff format .
	$(if $(NOTEBOOKS),$(BIN)/nbstripout $(NOTEBOOKS))

types: $(VENV)/.installed-dev ## mypy --strict
	$(BIN)/mypy

layers: $(VENV)/.installed-dev ## imports run one way
	$(BIN)/lint-imports

docs: $(VENV)/.installed-dev ## docs/cli.md says what the command line says
	$(BIN)/python docs/generate_cli.py --check

test: $(VENV)/.installed-dev ## the tests, without those marked slow
	$(PYTEST) -m "not slow" $(TESTED)

test-full: $(VENV)/.installed-dev ## all the tests
	$(PYTEST) $(TESTED)

bench: $(VENV)/.installed-dev ## the benchmarks: ratios, measured in one run
	$(BIN)/python -m pytest benchmarks --benchmark-only

bench-detect: $(VENV)/.installed-dev ## how well changes are detected, and docs/accuracy.md; hours
	mkdir -p build
	$(BIN)/python -m benchmarks.detecting all --judge --resume -o build/detecting_part.jsonl
	mv build/detecting_part.jsonl build/detecting.jsonl
	$(BIN)/python -m benchmarks.detecting table build/detecting.jsonl

wheel: $(VENV)/.installed-dev ## dist/orthowatch-*.whl
	$(BIN)/python -m build --wheel --no-isolation

plugin: ## dist/orthowatch-qgis-*.zip, for QGIS
	$(PYTHON) qgis/pack.py dist

words: $(VENV)/.installed-dev ## bring the catalogues up to date with the sentences in the source
	mkdir -p build
	$(BIN)/pybabel -q extract -F $(CATALOGUES)/extract.cfg --no-location --sort-output \
		--project orthowatch \
		-o build/messages.pot survey change cli.py \
		$$($(BIN)/python -c 'import click; print(*click.__path__)')
	$(BIN)/pybabel update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \
		--width 100 -i build/messages.pot -d $(CATALOGUES)
	$(BIN)/pybabel compile --statistics -d $(CATALOGUES)

cli-reference: $(VENV)/.installed-dev ## write docs/cli.md again
	$(BIN)/python docs/generate_cli.py

sample: $(VENV)/.installed ## make the sample flights again
	$(BIN)/python sample_tiles/make.py

train: $(VENV)/.installed ## teach the network again (hours on two cores); REAL=folder of real tiles
	@test -n "$(REAL)" || { echo "say where the real tiles lie: make train REAL=FOLDER" >&2; exit 2; }
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train]'
	$(BIN)/python -m training.scenes build/scenes
	$(BIN)/python -m training.train build/roofs.pt --scenes build/scenes --real $(REAL)
	$(BIN)/python -m training.joined build/roofs.pt build/joined.pt --scenes build/scenes --real $(REAL)
	$(BIN)/python -m training.export build/joined.pt change/model/roofs.onnx
	$(BIN)/python -m training.scenes --count 20 --first 55000 build/unseen
	$(BIN)/python -m training.flights build/flights
	$(BIN)/python -m training.flights --first 58000 --count 128 build/flights
	$(BIN)/python -m training.flights --first 59000 --count 36 build/flights
	$(BIN)/python -m training.scores --scenes build/scenes --unseen build/unseen --flights build/flights \
		--real $(REAL) build/rows.jsonl change/model

lock: ## write constraints.txt again, with the newest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear build/lock
	build/lock/bin/pip install --quiet --editable '.[dev]'
	{ head -n 1 constraints.txt; build/lock/bin/pip freeze --exclude-editable | LC_ALL=C sort -f; } \
		> build/constraints.txt
	mv build/constraints.txt constraints.txt

clean: ## remove whatever these targets made
	rm -rf $(VENV) build dist demo_result .benchmarks .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find survey change tests -name __pycache__ -prune -exec rm -rf {} +

# The two stamps say that the environment holds what pyproject.toml and constraints.txt ask for.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(VENV)/.installed $@

# Debian's Python comes without the parts that make a virtual environment.
$(BIN)/pip:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		become=; \
		[ "$$(id -u)" = 0 ] || become=sudo; \
		if ! command -v apt-get >/dev/null || ! command -v $${become:-env} >/dev/null; then \
			echo "$(PYTHON) cannot make virtual environments: as root, install python3-venv" >&2; \
			exit 1; \
		fi; \
		echo "Installing the package python3-venv, which $(PYTHON) needs for its environments"; \
		$$become apt-get update -qq && \
		$$become env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "orthowatch needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
