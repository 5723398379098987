#!/usr/bin/env bash
# Scanners of code, template and dependencies, in an environment of their own: checkov wants older versions than we do.
#
#   scan.sh          bandit, checkov, pip-audit; an advisory service that cannot be asked is said, and let pass
#   scan.sh audit    pip-audit only; fails also when not everything could be asked
#   scan.sh lock     resolve the scanners, each to its latest version
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
venv=.venvs/scanners
lock=$here/requirements.txt

if [[ ${1:-} == lock ]]; then
    .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        "$here/requirements.in" -o "$lock"
fi
if ! cmp --silent "$lock" "$venv/.installed"; then
    echo "==> setting up $venv for the scanners (once; about 210 MB)"
    .venv/bin/uv venv --quiet --clear --python "${PYTHON:-.venv/bin/python}" "$venv"
    .venv/bin/uv pip sync --quiet --python "$venv/bin/python" --require-hashes "$lock"
    cp "$lock" "$venv/.installed"
fi

audit() {
    "$venv/bin/python" "$here/audit.py" lib/requirements.txt tests/requirements.txt
}

if [[ ${1:-} == audit ]]; then
    audit
    exit
fi
# Ruff's rules S cover what bandit ranks low, with a noqa on intended lines.
# It warns of every nosec on a line with more than one node.
"$venv/bin/bandit" --quiet --severity-level medium --recursive lib functions 2> >(grep -v "nosec encountered" >&2)
# Without a line of its own for the hundreds of checks that passed.
LOG_LEVEL=ERROR "$venv/bin/checkov" --config-file infra/checkov.yaml
status=0
audit || status=$?
[[ $status -eq 0 || $status -eq 3 ]] || exit "$status"
[[ $status -eq 0 ]] || echo "The dependencies were not audited: run 'make audit' where the advisory service can be reached."
