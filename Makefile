# Every command a person needs; `make` alone lists them.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?= python3

.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(STAMP)  ## install everything into .venv (the other commands do it when needed)

$(STAMP): tests/requirements.txt tests/bootstrap.txt pyproject.toml
	@echo "==> setting up $(VENV) (once; about a minute on a slow line)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "imagegate needs Python 3.11 or newer; found $$($(PYTHON) --version). Try: make PYTHON=python3.12 setup"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "python3 could not make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/bootstrap.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes tests/requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

run: $(STAMP)  ## serve on http://127.0.0.1:1337 with the embedded stack (no key, no AWS account; ARGS=--help)
	@$(BIN)/imagegate serve $(ARGS)

test: $(STAMP)  ## run every test a newcomer needs
	@PYTHON=$(BIN)/python tests/clients/setup.sh litellm
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow" $(ARGS)

test-slow: $(STAMP)  ## what takes longer: kills and restarts, deadlines, a search for secrets everywhere (two minutes)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m slow $(ARGS)

test-gradio: $(STAMP)  ## prove the Gradio stand-ins and adapter on real Gradio 4 and 6 servers (about 600 MB)
	@PYTHON=$(BIN)/python tests/contract/real_gradio/setup.sh
	@$(BIN)/python -m pytest -m real_gradio tests/contract/real_gradio $(ARGS)

test-node: $(STAMP)  ## prove the waiting on the clients for Node, and all clients on a generation of 70 s
	@PYTHON=$(BIN)/python tests/clients/setup.sh node litellm langchain
	@$(BIN)/python -m pytest -m node tests/integration/clients $(ARGS)

test-browser: $(STAMP)  ## prove in Chromium what pages of other origins get from `make run`: nothing
	@$(BIN)/python -m pytest -m browser tests/integration/browser $(ARGS)

test-yandex-sdk: $(STAMP)  ## prove the bridge on YandexART's own SDK, and our JSON on its protobuf messages (170 MB)
	@PYTHON=$(BIN)/python tests/clients/setup.sh yandex
	@$(BIN)/python -m pytest -m yandex_sdk tests/integration/yandex_sdk $(ARGS)

test-vendors: $(STAMP)  ## prove the stand-ins on their vendors' own clients, for Python and Node (300 MB once)
	@PYTHON=$(BIN)/python tests/clients/setup.sh vendors
	@$(BIN)/python -m pytest -n 2 -m vendors tests/vendors $(ARGS)

test-deploy: $(STAMP)  ## prove that it deploys: real SAM CLI, moto, MiniStack, Lambda's emulator (300 MB; TEMPLATE=...)
	@PYTHON=$(BIN)/python tests/deploy/setup.sh
	@TEMPLATE=$(TEMPLATE) $(BIN)/python -m pytest -n 2 --dist loadgroup -m deploy tests/deploy tests/unit/adapters $(ARGS)

check: $(STAMP)  ## lint, types, architecture, template, weaknesses
	@$(BIN)/ruff check lib functions tests
	@$(BIN)/ruff format --check lib functions tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/cfn-lint template.yaml
	@PYTHON=$(BIN)/python tests/scanners/scan.sh
	@if command -v sam >/dev/null; then sam validate --lint; else echo "sam is not here: 'sam validate' left out"; fi

audit: $(STAMP)  ## ask the advisory service about every dependency; fails when it cannot be asked
	@PYTHON=$(BIN)/python tests/scanners/scan.sh audit

bench: $(STAMP)  ## measure: make bench NAME=<file of tests/benchmarks> [N=...]
	@test -f tests/benchmarks/$(NAME).py || { echo "NAME is one of:$$(cd tests/benchmarks && grep -l __main__ *.py | sed 's/^/ /; s/\.py//' | tr -d '\n')"; exit 1; }
	@PYTHONPATH=tests $(BIN)/python -P -m benchmarks.$(NAME)

docs: $(STAMP)  ## write anew what is generated: the OpenAPI document and the tables
	@$(BIN)/imagegate openapi > docs/openapi.json
	@$(BIN)/imagegate tables models > docs/models.md
	@$(BIN)/imagegate tables errors > docs/errors.md
	@$(BIN)/imagegate tables parameters > docs/parameters.md
	@$(BIN)/imagegate tables stand-ins > docs/stand-ins.md
	@$(BIN)/imagegate schemas docs/events
	@$(BIN)/python tests/scanners/licences.py > docs/licences.md

STAGE ?= dev
# As it was written: neither make nor a shell takes the quotes and dollars of a value for its own.
deploy: override export PARAMETERS := $(value PARAMETERS)

deploy: $(STAMP)  ## deploy to your AWS account, or update; parameters stand in infra/stages/STAGE.toml (STAGE=dev, ARGS=--help)
	@$(BIN)/imagegate deploy --stage "$(STAGE)" $(ARGS)

destroy: $(STAMP)  ## remove the deployment; says what AWS keeps, and how to remove that (STAGE=dev, ARGS=--help)
	@$(BIN)/imagegate destroy --stage "$(STAGE)" $(ARGS)

fix: $(STAMP)  ## repair what ruff can repair
	@$(BIN)/ruff check --fix lib functions tests
	@$(BIN)/ruff format lib functions tests

lock: $(STAMP)  ## resolve the dependencies anew and write the lock files
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--extra local --group dev pyproject.toml -o tests/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		-c tests/requirements.txt pyproject.toml -o lib/requirements.txt
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		infra/sam/requirements.in -o infra/sam/requirements.txt
	@grep -A 99 '^uv==' tests/requirements.txt | awk 'NR == 1 || /^ / {print; next} {exit}' > tests/bootstrap.txt

clean:  ## remove the environment and the embedded stack's state
	@rm -rf $(VENV) .imagegate .aws-sam build

.PHONY: help setup run test test-slow test-gradio test-node test-browser test-yandex-sdk test-vendors test-deploy check audit bench docs deploy destroy fix lock clean
