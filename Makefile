# All commands; `make` alone lists them.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
# Without bytecode, every process of the tests compiles what it imports.
unexport PYTHONDONTWRITEBYTECODE
STAMP := $(VENV)/.installed
PYTHON ?= python3

.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(STAMP)  ## install everything into .venv (the other commands do it when needed)

$(STAMP): tests/requirements.txt tests/bootstrap.txt pyproject.toml
	@echo "==> setting up $(VENV) (once; about a minute on a slow line)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "imagegate needs Python 3.11 or newer; found $$($(PYTHON) --version). Try: make PYTHON=python3.12 setup"; exit 1; }
	@echo "    1 of 4: virtual environment"
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "python3 could not make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "    2 of 4: the installer"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/bootstrap.txt
	@echo "    3 of 4: $$(grep -c '^[a-z]' tests/requirements.txt) packages"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes tests/requirements.txt
	@echo "    4 of 4: imagegate itself"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Into the project's own environment, in which the functions of the embedded stack run. `make setup` takes it out again
# when the dependencies change.
c2pa: $(STAMP)  ## install what signs pictures: `imagegate serve --sign` (55 MB)
	@$(BIN)/python -c 'import c2pa' 2>/dev/null \
		|| $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r infra/c2pa/requirements.txt

.PHONY: c2pa test-provenance

run: $(STAMP)  ## serve on http://127.0.0.1:1337 with the embedded stack (no key, no AWS account; ARGS=--help)
	@$(BIN)/imagegate serve $(ARGS)

demo: $(STAMP)  ## set up, start the gateway, make one picture the real way, show it, and stop
	@$(BIN)/imagegate generate "a red fox in the snow" --serve --url http://127.0.0.1:1337 --no-json -o .imagegate/demo/ $(ARGS)

# Three processes on two cores: the tests of the embedded stack wait for most of their time.
test: $(STAMP)  ## run every test a newcomer needs
	@$(BIN)/python -m pytest -n 3 --dist loadgroup -m "not slow" $(ARGS)

test-slow: $(STAMP)  ## run the others: the whole stack, kills, deadlines, fuzzing, emulated AWS (15 minutes)
	@PYTHON=$(BIN)/python tests/clients/setup.sh litellm
	@$(BIN)/python -m pytest -n 3 --dist loadgroup -m slow $(ARGS)

test-gradio: $(STAMP)  ## run the Gradio contract tests on real Gradio 4 and 6 servers (about 600 MB)
	@PYTHON=$(BIN)/python tests/contract/real_gradio/setup.sh
	@$(BIN)/python -m pytest -m real_gradio tests/contract/real_gradio tests/integration/test_route_recipes.py $(ARGS)

test-node: $(STAMP)  ## run the clients for Node, and all clients on a generation of 70 s
	@PYTHON=$(BIN)/python tests/clients/setup.sh node litellm frameworks
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m node tests/integration/clients $(ARGS)

test-clients: $(STAMP)  ## run every recipe of docs/clients.md with the client's own package (400 MB once; Node, PHP, Ruby)
	@PYTHON=$(BIN)/python tests/clients/setup.sh node litellm frameworks
	@$(BIN)/python -m pytest -n 2 -m clients tests/integration/clients $(ARGS)

test-mcp: $(STAMP)  ## run the official MCP clients of both generations, and the protocol's conformance suite (90 MB once)
	@PYTHON=$(BIN)/python tests/clients/setup.sh mcp
	@$(BIN)/python -m pytest -m mcp tests/integration/mcp $(ARGS)

# Playwright is in an environment of its own, of the same interpreter, which is added to the path.
WITH_PLAYWRIGHT = PYTHONPATH=$$(echo $(CURDIR)/.venvs/browser/lib/python3*/site-packages)

test-browser: $(STAMP)  ## try the studio in Chromium, and that pages of other origins get nothing (200 MB once)
	@PYTHON=$(BIN)/python tests/clients/setup.sh browser
	@$(WITH_PLAYWRIGHT) $(BIN)/python -m pytest -n 2 --dist loadgroup -m browser tests/integration/browser $(ARGS)

screenshots: $(STAMP)  ## take the pictures of docs/studio.md from a running stack; look at them
	@PYTHON=$(BIN)/python tests/clients/setup.sh browser
	@PYTHONPATH=tests:$$(echo $(CURDIR)/.venvs/browser/lib/python3*/site-packages) $(BIN)/python -P -m clients.browser.screenshots

test-yandex-sdk: $(STAMP)  ## run the bridge with YandexART's own SDK and protobuf messages (170 MB)
	@PYTHON=$(BIN)/python tests/clients/setup.sh yandex
	@$(BIN)/python -m pytest -m yandex_sdk tests/integration/yandex_sdk $(ARGS)

test-vendors: $(STAMP)  ## run the stand-ins with their vendors' own clients, for Python and Node (300 MB once)
	@PYTHON=$(BIN)/python tests/clients/setup.sh vendors
	@$(BIN)/python -m pytest -n 2 -m vendors tests/vendors $(ARGS)

test-provenance: c2pa  ## read signatures and metadata back with c2pa-python and ExifTool (needs exiftool)
	@command -v exiftool >/dev/null || { echo "exiftool is needed; on Debian: apt-get install libimage-exiftool-perl"; exit 1; }
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m provenance tests/provenance $(ARGS)

test-deploy: $(STAMP)  ## test the deployment: SAM CLI, moto, MiniStack, Lambda's emulator (300 MB; TEMPLATE=...)
	@PYTHON=$(BIN)/python tests/deploy/setup.sh
	@TEMPLATE=$(TEMPLATE) $(BIN)/python -m pytest -n 2 --dist loadgroup -m deploy tests/deploy tests/unit/adapters $(ARGS)

check: $(STAMP)  ## run linters, type checker, layer rules, template and security scanners
	@$(BIN)/ruff check lib functions tests
	@$(BIN)/ruff format --check lib functions tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/cfn-lint template.yaml infra/monitoring.yaml
	@PYTHON=$(BIN)/python tests/scanners/scan.sh
	@if sam=$$(command -v .venvs/sam/bin/sam || command -v sam); then SAM_CLI_TELEMETRY=0 $$sam validate --lint; \
		else echo "'sam validate' was left out: 'make deploy' and 'make test-deploy' install the SAM CLI"; fi

audit: $(STAMP)  ## check every dependency for advisories; fails if the advisory service cannot be reached
	@PYTHON=$(BIN)/python tests/scanners/scan.sh audit

bench: $(STAMP)  ## measure: make bench NAME=<file of tests/benchmarks> [N=...]
	@test -f tests/benchmarks/$(NAME).py || { echo "NAME is one of:$$(cd tests/benchmarks && grep -l __main__ *.py | sed 's/^/ /; s/\.py//' | tr -d '\n')"; exit 1; }
	@PYTHONPATH=tests:$$(echo $(CURDIR)/.venvs/browser/lib/python3*/site-packages) $(BIN)/python -P -m benchmarks.$(NAME)

docs: $(STAMP)  ## regenerate the OpenAPI document and the tables in docs/
	@$(BIN)/imagegate openapi > docs/openapi.json
	@$(BIN)/imagegate tables models > docs/models.md
	@$(BIN)/imagegate tables errors > docs/errors.md
	@$(BIN)/imagegate tables parameters > docs/parameters.md
	@$(BIN)/imagegate tables stand-ins > docs/stand-ins.md
	@$(BIN)/imagegate tables routes-keys > docs/routes-keys.md
	@$(BIN)/imagegate tables cli > docs/cli.md
	@$(BIN)/imagegate routes schema > docs/routes.schema.json
	@$(BIN)/imagegate schemas docs/events
	@$(BIN)/python tests/scanners/licences.py > docs/licences.md
	@PYTHONPATH=tests $(BIN)/python -P -m benchmarks.performance pages

STAGE ?= dev
# Passed on literally: neither make nor the shell interprets quotes and dollars of a value.
deploy: override export PARAMETERS := $(value PARAMETERS)

deploy: $(STAMP)  ## deploy to your AWS account, or update; parameters are in infra/stages/STAGE.toml (STAGE=dev, ARGS=--help)
	@$(BIN)/imagegate deploy --stage "$(STAGE)" $(ARGS)

destroy: $(STAMP)  ## remove the deployment; lists what AWS keeps, and how to remove it (STAGE=dev, ARGS=--help)
	@$(BIN)/imagegate destroy --stage "$(STAGE)" $(ARGS)

fix: $(STAMP)  ## format, and fix what ruff can fix
	@$(BIN)/ruff check --fix lib functions tests
	@$(BIN)/ruff format lib functions tests

lock: $(STAMP)  ## resolve the dependencies and write the lock files
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--extra local --group dev pyproject.toml -o tests/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		-c tests/requirements.txt pyproject.toml -o lib/requirements.txt
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		infra/sam/requirements.in -o infra/sam/requirements.txt
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-deps \
		infra/c2pa/requirements.in -o infra/c2pa/requirements.txt
	@grep -A 99 '^uv==' tests/requirements.txt | awk 'NR == 1 || /^ / {print; next} {exit}' > tests/bootstrap.txt

clean:  ## remove the environment and the embedded stack's state
	@rm -rf $(VENV) .imagegate .aws-sam build

.PHONY: help setup run demo test test-slow test-gradio test-node test-clients test-mcp test-browser screenshots test-yandex-sdk test-vendors test-deploy check audit bench docs deploy destroy fix lock clean
