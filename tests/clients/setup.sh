#!/usr/bin/env bash
# Installs the real clients that are no part of the project's environment, from the locks beside this file; does nothing
# when they are up to date.
#
#   setup.sh node litellm     what is named: node (into tests/clients/node/node_modules; needs node and npm and nothing
#                             else), litellm, frameworks and yandex (into .venvs; PYTHON names the interpreter), vendors
#                             (upstreams' clients of tests/vendors, for Node and for Python), browser (Playwright, which
#                             drives the machine's Chromium, and axe-core), mcp (the Model Context Protocol's clients of
#                             both generations for Python, the one for Node, and the protocol's conformance suite)
#   setup.sh lock node ...    resolve them first, each client to its latest version; vendors' clients for Node stay
#                             at the versions of their package.json, which run on Node 20
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
vendors=${here%/*}/vendors
cd "$here/../.."

lock_node() {
    local names
    names=$(node -p 'Object.keys(require("./tests/clients/node/package.json").dependencies).map((n) => n + "@latest").join(" ")')
    # shellcheck disable=SC2086  # one word per client
    (cd "$here/node" && rm -f package-lock.json && npm install --package-lock-only --save-exact --loglevel=error $names >/dev/null)
    if grep --quiet '"resolved"' "$here/node/package-lock.json"; then
        echo "package-lock.json names a registry; this npm is too old for omit-lockfile-registry-resolved" >&2
        exit 1
    fi
}

setup_node() {  # setup_node [FOLDER]
    local folder=${1:-$here/node}
    local lock=$folder/package-lock.json installed=$folder/node_modules/.installed
    command -v node npm >/dev/null || { echo "node and npm (Node 20 or newer) are needed for the Node clients" >&2; exit 1; }
    if ! cmp --silent "$lock" "$installed"; then
        echo "==> setting up $folder/node_modules (about 65 MB)"
        (cd "$folder" && npm ci --ignore-scripts --loglevel=error >/dev/null)
        cp "$lock" "$installed"
    fi
}

compile() {
    .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header "$@"
}

lock_venv() {  # lock_venv FOLDER [FURTHER SOURCES AND OPTIONS]
    compile "$1/requirements.in" "${@:2}" -o "$1/requirements.txt"
}

lock_yandex() {  # the vendor's SDK, and beside it the bridge as it is installed
    lock_venv "$here/yandex" --extra bridge pyproject.toml
}

setup_venv() {  # setup_venv FOLDER
    local lock=$1/requirements.txt venv=.venvs/${1##*/}
    if ! cmp --silent "$lock" "$venv/.installed"; then
        echo "==> setting up $venv (about 200 MB)"
        .venv/bin/uv venv --quiet --clear --python "${PYTHON:-.venv/bin/python}" "$venv"
        .venv/bin/uv pip sync --quiet --python "$venv/bin/python" --require-hashes "$lock"
        cp "$lock" "$venv/.installed"
    fi
}

lock_vendors() {
    lock_venv "$vendors"
    (cd "$vendors/node" && rm -f package-lock.json && npm install --package-lock-only --save-exact --loglevel=error >/dev/null)
}

setup_vendors() {
    setup_venv "$vendors"
    setup_node "$vendors/node"
}

lock_browser() {
    lock_venv "$here/browser"
    (cd "$here/browser" && rm -f package-lock.json && npm install --package-lock-only --save-exact --loglevel=error \
        axe-core@latest >/dev/null)
}

setup_browser() {
    setup_venv "$here/browser"
    setup_node "$here/browser"
}

lock_mcp() {
    lock_venv "$here/mcp/mcp1"
    lock_venv "$here/mcp/mcp2"
    (cd "$here/mcp/node" && rm -f package-lock.json && npm install --package-lock-only --save-exact --loglevel=error >/dev/null)
}

setup_mcp() {
    setup_venv "$here/mcp/mcp1"
    setup_venv "$here/mcp/mcp2"
    setup_node "$here/mcp/node"
}

steps=(setup)
if [[ ${1:-} == lock ]]; then
    steps=(lock setup)
    shift
fi
[[ $# -gt 0 ]] || { echo "usage: $0 [lock] node|litellm|frameworks|yandex|vendors|browser|mcp ..." >&2; exit 2; }
for part in "$@"; do
    for step in "${steps[@]}"; do
        case $part in
            node) "${step}_node" ;;
            vendors) "${step}_vendors" ;;
            browser) "${step}_browser" ;;
            mcp) "${step}_mcp" ;;
            litellm | frameworks) "${step}_venv" "$here/$part" ;;
            yandex) if [[ $step == lock ]]; then lock_yandex; else setup_venv "$here/yandex"; fi ;;
            *) echo "$0: there is no part '$part', only node, litellm, frameworks, yandex, vendors, browser and mcp" >&2; exit 2 ;;
        esac
    done
done
