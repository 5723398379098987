"""The protocol's own conformance suite, on what of it any server can be tested for. Opt-in: `make test-mcp`.

Most of its scenarios call tools, prompts and resources that only its reference server has, such as `test_simple_text`,
or want optional parts that this server does not announce. They are listed: one that begins to pass fails here too.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from integration.mcp.conftest import Endpoint

pytestmark = [pytest.mark.mcp, pytest.mark.integration, pytest.mark.xdist_group("mcp"), pytest.mark.timeout(400)]
NODE = Path(__file__).parents[2] / "clients" / "mcp" / "node"
PATIENCE = 300.0

OF_THE_REFERENCE_SERVER = {
    "completion-complete", "prompts-get-embedded-resource", "prompts-get-simple", "prompts-get-with-args",
    "prompts-get-with-image", "prompts-list", "resources-read-binary", "resources-read-text",
    "resources-templates-read", "tools-call-audio", "tools-call-embedded-resource", "tools-call-error",
    "tools-call-image", "tools-call-mixed-content", "tools-call-simple-text", "tools-call-with-progress",
}  # fmt: skip
"""They want `test_…` tools, `test://` resources and prompts."""
OLDER_ONLY = {
    "elicitation-sep1034-defaults", "elicitation-sep1330-enums", "logging-set-level", "resources-subscribe",
    "resources-unsubscribe", "tools-call-elicitation", "tools-call-sampling", "tools-call-with-logging",
}  # fmt: skip
"""The same, or requests to the client, and optional parts."""
NEWER_ONLY = {
    "input-required-result-basic-elicitation", "input-required-result-basic-list-roots",
    "input-required-result-basic-sampling", "input-required-result-capability-check",
    "input-required-result-multi-round", "input-required-result-multiple-input-requests",
    "input-required-result-non-tool-request", "input-required-result-request-state",
    "input-required-result-result-type", "input-required-result-tampered-state",
}  # fmt: skip
"""Tools that ask the client for something."""
OF_DIAGNOSTIC_TOOLS = {
    "sep-2575-http-server-no-independent-requests-on-stream", "sep-2575-missing-capability-http-400",
    "sep-2575-server-no-log-without-loglevel", "sep-2575-server-rejects-undeclared-capability",
}  # fmt: skip
"""They call `test_missing_capability`, `test_streaming_elicitation` and `test_logging_tool`."""
NO_PROMPTS = "prompts/list returned JSON-RPC error -32601"


def conform(endpoint: Endpoint, package: str, results: Path, *options: str) -> dict[str, list[dict[str, Any]]]:
    """The checks of each scenario of a suite."""
    program = NODE / "node_modules" / package / "dist" / "index.js"
    shim = (NODE / "glob-sync.mjs").as_uri()
    command = ["node", "--import", shim, str(program), "server", "--url", endpoint.url, *options]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1,localhost"}
    done = subprocess.run(
        [*command, "--output-dir", str(results)],
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
        cwd=results,
        env=environment,
    )
    files = sorted(results.rglob("checks.json"))
    assert files, done.stdout + done.stderr
    return {scenario_of(file): json.loads(file.read_text()) for file in files}


def scenario_of(file: Path) -> str:
    """Its name, from the folder `server-<name>-<time>`."""
    return re.sub(r"-\d{4}-\d\d-\d\dT.*", "", file.parent.name.removeprefix("server-"))


def failing(checks: list[dict[str, Any]]) -> list[str]:
    return [f"{check['id']}: {check.get('errorMessage')}" for check in checks if check["status"] == "FAILURE"]


@pytest.fixture(scope="module")
def older(open_endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    results = tmp_path_factory.mktemp("older")
    return conform(open_endpoint, "@modelcontextprotocol/conformance", results)


@pytest.fixture(scope="module")
def newer(open_endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    results = tmp_path_factory.mktemp("newer")
    return conform(open_endpoint, "conformance-2026", results, "--requirements", "2026-07-28", "--timeout", "120000")


def test_versions_with_a_handshake(older: dict[str, list[dict[str, Any]]]) -> None:
    passed = {name for name, checks in older.items() if not failing(checks)}
    assert {"server-initialize", "ping", "tools-list", "resources-list", "dns-rebinding-protection"} <= passed
    assert {*older} - passed == OF_THE_REFERENCE_SERVER | OLDER_ONLY


def test_version_2026_07_28(newer: dict[str, list[dict[str, Any]]]) -> None:
    tried = {name: checks for name, checks in newer.items() if not name.startswith("tasks-")}  # an extension
    passed = {name for name, checks in tried.items() if not failing(checks)}
    assert {
        "dns-rebinding-protection", "http-header-validation", "resources-list", "sep-2164-resource-not-found",
        "tools-list",
    } <= passed  # fmt: skip
    partly = {"caching", "server-stateless"}
    pending = {"http-custom-header-server-validation", "json-schema-2020-12"}  # the reference server fails as well
    assert {*tried} - passed == OF_THE_REFERENCE_SERVER | NEWER_ONLY | partly | pending


def test_what_fails_of_statelessness_needs_diagnostic_tools(newer: dict[str, list[dict[str, Any]]]) -> None:
    checks = newer["server-stateless"]
    assert len([check for check in checks if check["status"] == "SUCCESS"]) >= 20
    assert {check["id"] for check in checks if check["status"] == "FAILURE"} == OF_DIAGNOSTIC_TOOLS


def test_what_fails_of_caching_is_the_list_of_prompts(newer: dict[str, list[dict[str, Any]]]) -> None:
    [text] = failing(newer["caching"])
    assert NO_PROMPTS in text


def test_every_message_is_as_the_protocols_schema_says(newer: dict[str, list[dict[str, Any]]]) -> None:
    checks = [check for checks in newer.values() for check in checks if check["id"] == "wire-schema-valid"]
    assert len(checks) > 20
    assert failing(checks) == []
