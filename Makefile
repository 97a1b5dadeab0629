# The commands a person needs. `make demo` and `make test` do all the set-up themselves.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PART ?= trail
ENTRIES ?= 1000000
SERVE ?= 1
DATA ?=
BIND ?= auto
# Whoever forbids it lets each process compile all sources again: a start takes two fifths longer.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo up test requirements services check format lock bench clean api-attack api-lint \
	generated-client faults bulk-faults

help:  ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/ready: constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] <= (3, 13) else f"Python 3.11 to 3.13 is needed; {sys.executable} is {v[0]}.{v[1]}. Set PYTHON=python3.12, say.")'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r constraints.txt
	@touch $@

setup: $(VENV)/ready  ## Make the virtual environment with the locked dependencies
	@$(BIN)/python -m config.embedded.native

demo: setup  ## Run the main job on real input, leave the site running (SERVE=0 ends; DATA=<folder>)
	@$(BIN)/python manage.py demo --bind $(BIND) $(if $(filter 0,$(SERVE)),--no-serve) $(if $(DATA),--data "$(DATA)")

up: setup  ## Run web, worker, beat and sequencer together
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py up --bind $(BIND)

# Two lanes on two cores, each with a database server of its own; the second one's output follows.
# The attacks have a process of their own, as their log outside is set for all of it: in the lane that ends first.
# In memory where there is enough of it: hundreds of tests make a database of their own.
FIRST := tests/batches tests/twins
RECORD := --requirements-record=var/requirements
MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 8000000 {print "/dev/shm/gmp-tests-"}' | sed "s/$$/$$(id -u)-$$(pwd | cksum | cut -d' ' -f1)/;/^[0-9]/d")
VAR_OF_TESTS := $(or $(GMP_VAR_DIR),$(MEMORY),$(CURDIR)/var)
VAR_OF_PART := $(or $(GMP_VAR_DIR),$(addsuffix -part,$(MEMORY)),$(CURDIR)/var/part)
test: setup  ## Pass all tests (ARGS='tests/attacks -q' for a part)
ifeq ($(strip $(ARGS)),)
	@mkdir -p var; rm -rf var/requirements/*.json var/attacks; \
	attacks() { mkdir var/attacks 2>/dev/null || return 0; $(BIN)/python -m pytest $(RECORD)/attacks.json tests/attacks; }; \
	( export GMP_VAR_DIR=$(VAR_OF_TESTS)/second; $(BIN)/python -m pytest $(RECORD)/second.json $(addprefix --ignore=,$(FIRST) tests/attacks); \
		status=$$?; attacks && exit $$status ) > var/second.log 2>&1 & lane=$$!; \
	export GMP_VAR_DIR=$(VAR_OF_TESTS); $(BIN)/python -m pytest $(RECORD)/first.json $(FIRST); first=$$?; \
	attacks; attacks=$$?; \
	wait $$lane; second=$$?; cat var/second.log; $(if $(MEMORY),rm -rf $(MEMORY);) \
	[ $$first -eq 0 ] && [ $$attacks -eq 0 ] && [ $$second -eq 0 ]
else
	@GMP_VAR_DIR=$(VAR_OF_PART) $(BIN)/python -m pytest $(ARGS); status=$$?; $(if $(MEMORY),rm -rf $(MEMORY)-part;) exit $$status
endif

requirements: setup  ## Write docs/requirements.md from the marked tests; after `make test`, from its record
	@$(BIN)/python -m tests.requirements $(wildcard var/requirements/*.json)

check: setup  ## Format, lint, import contracts, types, templates, deployment, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/djhtml --check templates
	$(BIN)/python manage.py migrate --verbosity 0
	GMP_HTTPS=1 GMP_SECOND_FACTOR=1 $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

format: setup  ## Format code and templates
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djhtml templates

bench: setup  ## Measure a part (PART=trail ENTRIES=1000000 ARGS=--markdown), write var/bench/<part>.json
	@ENTRIES=$(ENTRIES) $(BIN)/python -m tests.bench.$(PART) $(ARGS)

api-attack: setup  ## Attack the API of a running server with schemathesis (ARGS='--examples 5 --clients device')
	@$(BIN)/python -m tests.api_attack $(ARGS)

generated-client: setup  ## Let a client generated from the schema do a whole batch
	@$(BIN)/python -m tests.generated_client

faults: setup  ## Kill web, database and network under eight clients (ARGS='--seconds 300')
	@$(BIN)/python -m tests.faults $(ARGS)

bulk-faults: setup  ## Kill workers and broker under bulk predictions (ARGS='--seconds 300 --batches 12')
	@$(BIN)/python -m tests.bulk_faults $(ARGS)

# In npm's own cache, pinned; only this target needs node.
LINTERS := npx --yes --package=@stoplight/spectral-cli@6.16.3 --package=@redocly/cli@2.77.0
api-lint: setup  ## Lint the OpenAPI schema with spectral and redocly (needs npx)
	@mkdir -p var/api-lint && $(BIN)/python manage.py spectacular --file var/api-lint/openapi.yaml
	@echo 'extends: ["spectral:oas"]' > var/api-lint/spectral.yaml
	@$(LINTERS) spectral lint var/api-lint/openapi.yaml --ruleset var/api-lint/spectral.yaml
	@$(LINTERS) redocly lint var/api-lint/openapi.yaml --extends recommended

lock: setup  ## Renew constraints.txt from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python -m uv pip compile --universal --generate-hashes --group dev pyproject.toml \
		--python-version 3.11 --no-header --upgrade --quiet -o constraints.txt

clean:  ## Remove what can be made again (never var/: it holds records)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
