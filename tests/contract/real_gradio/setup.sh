#!/usr/bin/env bash
# Makes .venvs/gradio4 and .venvs/gradio6 from the locked requirements beside this file; does nothing when they are
# up to date. PYTHON names the interpreter (default: the project's own). `setup.sh lock` resolves them first.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."
uv=.venv/bin/uv
python=${PYTHON:-.venv/bin/python}

for generation in 4 6; do
    lock=$here/requirements-$generation.txt
    venv=.venvs/gradio$generation
    if [[ ${1:-} == lock ]]; then
        "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
            "$here/requirements-$generation.in" -o "$lock"
    fi
    if ! cmp --silent "$lock" "$venv/.installed"; then
        echo "==> setting up $venv (about 300 MB)"
        "$uv" venv --quiet --clear --python "$python" "$venv"
        "$uv" pip sync --quiet --python "$venv/bin/python" --require-hashes "$lock"
        cp "$lock" "$venv/.installed"
    fi
done
