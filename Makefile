# Every target that needs .venv sets up first what is missing; tools/setup.py says how.
# Arguments go on to the command: make run ARGS="--set train.steps=500"

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
# A process per processor, each with test files of its own.
PARALLEL := -n logical --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow test-servers coverage bench docs ui tensorboard

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## Make .venv what uv.lock says
	@$(PYTHON) tools/setup.py

run: setup ## Run the pipeline
	@$(BIN)/pipeline run $(ARGS)

test: setup ## Run linters, type checker and tests; ARGS go to pytest
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(PARALLEL) -m "not slow and not servers and not benchmark" $(ARGS)

test-slow: setup ## Run the tests that take minutes
	$(BIN)/pytest $(PARALLEL) -m slow $(ARGS)

test-servers: setup ## Run the tests with PostgreSQL, a browser and fresh environments
	$(BIN)/pytest -m servers $(ARGS)

coverage: setup ## Run the tests of make test, and show how much of the code they run
	$(BIN)/pytest $(PARALLEL) -m "not slow and not servers and not benchmark" --cov $(ARGS)

docs: setup ## Build the pages into site/, strictly
	@# Anew each time: the generated parts change without a change of a page.
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env --write-all \
		--doctree-dir site/.doctrees docs site

bench: setup ## Measure the pipeline, training, the server and tracking; takes hours
	@$(BIN)/pytest -m benchmark -s $(ARGS); status=$$?; $(BIN)/python tools/pages.py && exit $$status

ui: setup ## Show the runs in MLflow's user interface
	@$(BIN)/pipeline ui $(ARGS)

tensorboard: setup ## Show the training curves in TensorBoard
	@$(BIN)/pipeline tensorboard $(ARGS)
