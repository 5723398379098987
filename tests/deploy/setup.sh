#!/usr/bin/env bash
# Installs what `make test-deploy` tries a deployment with; does nothing when all is up to date.
#
#   .venvs/sam                SAM CLI, as `make deploy` installs it
#   .venvs/moto               a moto server
#   .venvs/lambda             Lambda's Python runtime client on the functions' CPython, and Lambda's emulator
#   tests/deploy/node         readers of the state machine's definition; need node and npm
#
#   setup.sh lock             resolve all but SAM CLI first, each to its latest version
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
uv=.venv/bin/uv
python=${PYTHON:-.venv/bin/python}

sam() {
    "$python" - <<'END'
from pathlib import Path

from imagegate.cli.deploy.sam import Sam

sam = Sam(Path.cwd())
if not sam.installed:
    print("==> setting up .venvs/sam for the SAM CLI (once; about 250 MB)")
    sam.install()
END
}

# Prints the layer's CPython, which uv downloads where it is not installed.
cpython() {
    PATH="$PWD/.venv/bin:$PATH" make --no-print-directory -C lib interpreter
}

lock() {  # lock FOLDER PYTHON_VERSION
    "$uv" pip compile --quiet --upgrade --universal --python-version "$2" --generate-hashes --no-annotate --no-header \
        "$1/requirements.in" -o "$1/requirements.txt"
}

lock_node() {
    (cd "$here/node" && rm -f package-lock.json && npm install --package-lock-only --save-exact --loglevel=error \
        asl-validator@latest jsonata@latest >/dev/null)
    if grep --quiet '"resolved"' "$here/node/package-lock.json"; then
        echo "package-lock.json names a registry; this npm is too old for omit-lockfile-registry-resolved" >&2
        exit 1
    fi
}

venv() {  # venv NAME LOCK PYTHON SIZE
    local venv=.venvs/$1
    if ! cmp --silent "$2" "$venv/.installed"; then
        echo "==> setting up $venv (once; about $4 MB)"
        "$uv" venv --quiet --clear --python "$3" "$venv"
        "$uv" pip sync --quiet --python "$venv/bin/python" --require-hashes "$2"
        cp "$2" "$venv/.installed"
    fi
}

node() {
    command -v npm >/dev/null || { echo "node and npm (Node 20 or newer) are needed to read the state machine" >&2; exit 1; }
    if ! cmp --silent "$here/node/package-lock.json" "$here/node/node_modules/.installed"; then
        echo "==> setting up $here/node/node_modules (about 15 MB)"
        (cd "$here/node" && npm ci --ignore-scripts --loglevel=error >/dev/null)
        cp "$here/node/package-lock.json" "$here/node/node_modules/.installed"
    fi
}

if [[ ${1:-} == lock ]]; then
    lock "$here/moto" 3.11
    lock "$here/runtime" 3.13
    lock_node
fi
sam
venv moto "$here/moto/requirements.txt" "$python" 180
venv lambda "$here/runtime/requirements.txt" "$(cpython)" 5
node

# A wheel's files are not executable.
emulator=.venvs/lambda/bin/aws-lambda-rie
if [[ ! -x $emulator || .venvs/sam/.installed -nt $emulator ]]; then
    case $(uname -sm) in
        "Linux x86_64") processor=x86_64 ;;
        "Linux aarch64") processor=arm64 ;;
        *) echo "Lambda's emulator runs on Linux only (x86_64, aarch64); this is $(uname -sm)" >&2; exit 1 ;;
    esac
    install -m 755 .venvs/sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-"$processor" "$emulator"
fi
