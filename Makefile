# Convolution, Window by Window. `make help` lists what there is; two commands do most of it:
#
#   make book    build the book and open it on this machine
#   make test    prove that everything in it is true
#
# Choose the Python with PYTHON=python3.12, and the port of `make book` with PORT=8123.

SHELL := /bin/sh
PYTHON ?=
PORT ?= 8000
# How many processes the tests may use.
JOBS ?= 2

READY := .venv/.ready
BIN := .venv/bin
HTML := _build/html
NBGRADER := .venv-nbgrader/.ready
BUILT := _build/.built
NOTEBOOKS := $(wildcard notebooks/*.ipynb book/*.ipynb)
SOURCES := $(shell find book notebooks convlib -type f ! -path '*/__pycache__/*' ! -path '*/.ipynb_checkpoints/*' ! -name '.*' 2>/dev/null)

# One thread a process: JOBS processes already fill the machine, and results do not depend on it.
QUIET_THREADS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help venv book slides html test lint types unit notebooks browser mutation opinfo execute address freeze clean distclean \
  pdf lighthouse \
  classroom grader test-grader test-oldest test-newest test-colab

help: ## show this list
	@echo "Convolution, Window by Window"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -e 's/:.*## /|/' | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

venv: $(READY) ## make .venv and install what the book and the tests need

$(READY): requirements.txt constraints.txt pyproject.toml .ci/set-up
	@PYTHON="$(PYTHON)" sh .ci/set-up
	@touch $@

book: html ## build the book, serve it on this machine and print its address
	@$(BIN)/python tests/book/serve.py $(HTML) --port $(PORT)

slides: html ## make a deck of slides for each chapter, serve them and print their address
	@$(BIN)/python tests/book/slides.py
	@$(BIN)/python tests/book/serve.py $(HTML) --port $(PORT) --at slides/

html: $(BUILT) ## build the book, warnings are errors
	@echo "The book is in $(HTML)/index.html"

$(BUILT): $(READY) _config.yml _toc.yml tests/book/pages.py $(SOURCES)
	@$(BIN)/python tests/book/pages.py build
	@touch $@

test: lint types unit notebooks html browser ## all of it: the six parts below, in this order

lint: $(READY) ## ruff: the style of the library, the tests and the notebooks
	@echo; echo "== lint: the style of the library, the tests and the notebooks"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY) ## mypy: the types of convlib
	@echo; echo "== types: the annotations of convlib hold together"
	@$(BIN)/mypy

unit: $(READY) ## the examples in convlib's docstrings, and its tests against PyTorch
	@echo; echo "== unit: the examples in convlib's docstrings, and its tests against PyTorch"
	@$(QUIET_THREADS) $(BIN)/pytest -q -n $(JOBS) --dist worksteal --doctest-modules convlib tests --ignore tests/book

notebooks: $(READY) ## run every cell of every notebook again and compare with what the book shows
	@echo; echo "== notebooks: every cell runs again and must give what the book shows"
	@$(if $(NOTEBOOKS),$(QUIET_THREADS) $(BIN)/pytest -q -n $(JOBS) --dist loadfile --nbval $(NOTEBOOKS),echo "no notebooks yet")

browser: $(BUILT) ## open the built pages in a real browser
	@echo; echo "== browser: the built book in a real browser"
	@$(BIN)/pytest -q -n $(JOBS) --dist loadgroup tests/book

mutation: $(READY) ## break the library one formula at a time: the tests must notice each (minutes)
	@echo; echo "== mutation: every broken formula is noticed"
	@$(QUIET_THREADS) JOBS=$(JOBS) $(BIN)/python tests/mutation.py

opinfo: $(READY) ## count PyTorch's own test cases by function: passed, refused by both, meant differences
	@echo; echo "== opinfo: PyTorch's own test cases, counted by function"
	@$(QUIET_THREADS) $(BIN)/python tests/opinfo.py

# Each makes an environment of its own beside .venv, with the Python named by PYTHON.
test-oldest: ## the oldest versions that pyproject.toml allows: do the tests of convlib pass
	@$(or $(PYTHON),python3) tests/versions.py oldest

test-newest: ## the newest versions of everything: do the tests of convlib pass, do the notebooks run
	@$(or $(PYTHON),python3) tests/versions.py newest

test-colab: ## the versions that Colab has: does the set-up cell leave them alone, do the notebooks run
	@$(or $(PYTHON),python3) tests/versions.py colab

pdf: html ## print the book as _build/book.pdf and the cheat sheet as _build/cheat-sheet.pdf (minutes)
	@$(BIN)/python tests/book/paper.py

lighthouse: html ## ask Lighthouse about every page, as a phone and as a desktop (an hour; needs npm)
	@$(BIN)/python tests/book/lighthouse.py

execute: $(READY) ## run notebooks and store their outputs in the normal form: make execute NB=notebooks/01-one-window.ipynb
	@$(if $(NB),$(BIN)/python tests/book/normalise.py $(NB),echo "make: name the notebook: make execute NB=notebooks/01-one-window.ipynb" >&2; exit 1)

classroom: $(READY) ## make _build/classroom.zip: the chapters without solutions, to hand out
	@$(BIN)/python tests/book/classroom.py students

grader: $(READY) ## make _build/grader.zip: a course folder for nbgrader, to hand out and to grade
	@$(BIN)/python tests/book/classroom.py grader

test-grader: $(NBGRADER) grader ## hand out, hand in and grade every chapter with nbgrader (minutes)
	@$(QUIET_THREADS) $(BIN)/python tests/book/grader_run.py

# nbgrader brings JupyterLab and a database: an environment of its own keeps them out of the pins.
$(NBGRADER): book/teach/kit/grader.txt | $(READY)
	@$(BIN)/python -m venv --clear .venv-nbgrader
	@.venv-nbgrader/bin/pip install -q --disable-pip-version-check -r book/teach/kit/grader.txt
	@touch $@

address: $(READY) ## set the repository's address everywhere: make address URL=https://github.com/NAME/REPOSITORY
	@$(if $(URL),$(BIN)/python tests/book/address.py "$(URL)",echo "make: name the address: make address URL=https://github.com/NAME/REPOSITORY" >&2; exit 1)

freeze: $(READY) ## write what is installed to constraints.txt
	@$(BIN)/python tests/book/freeze.py

clean: ## remove the built book
	rm -rf _build

distclean: clean ## remove the built book, the environment and the caches
	rm -rf .venv .venv-nbgrader .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

# The parts of `make test` share one machine and one environment: never side by side.
.NOTPARALLEL:
