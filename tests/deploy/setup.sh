#!/usr/bin/env bash
# What the tests of `make test-deploy` need beside the project's own environment: the SAM CLI, as `make deploy` installs it.
set -euo pipefail
cd "$(dirname "$0")/../.."
"${PYTHON:-.venv/bin/python}" - <<'END'
from pathlib import Path

from imagegate.cli.deploy.sam import Sam

sam = Sam(Path.cwd())
if not sam.installed:
    print("==> setting up .venvs/sam for the SAM CLI (once; about 250 MB)")
    sam.install()
END
