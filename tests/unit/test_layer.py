"""The functions work with what lib/Makefile puts into the Lambda layer, and without what it leaves out."""

import ast
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.function_process import AS_IN_THE_LAYER, environment
from support.hostile import event_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EVERY = sorted(file.stem for file in (ROOT / "functions").glob("*.py"))
ASK = """
event = json.loads(sys.stdin.read())
answer = api.handler(event, None)
assert answer["statusCode"] == 200, answer
assert not {name for name in sys.modules if name.startswith(("imagegate.cli", "imagegate.local", "imagegate.bridge"))}
"""


def test_every_function_loads_and_the_front_answers() -> None:
    event = event_of("GET", "/openapi.json", "", {"host": "api.invalid"}, b"")
    code = f"{AS_IN_THE_LAYER}import json, {', '.join(EVERY)}{ASK}"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment(), input=json.dumps(event), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_function_but_those_of_http_loads_a_web_framework() -> None:
    tasks = [name for name in EVERY if name not in ("api", "hold", "wait")]
    code = f"import sys, {', '.join(tasks)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert not {"fastapi", "starlette", "mangum", "imagegate.web"} & set(done.stdout.split())


@pytest.mark.parametrize("name", ["api", "wait", "submit", "poll"])
def test_a_function_starts_without_what_its_first_event_may_not_need(name: str) -> None:
    later = {
        "PIL": "a picture",
        "imagegate.workflow.store_pictures": "a picture",
        "imagegate.domain.pictures.xmp": "a picture",
        "imagegate.providers.routes_file": "routes that were pushed",
        "imagegate.domain.request.expanded_prompt": "the answer of a language model",
    }
    assert all(map(find_spec, later))
    command = [sys.executable, "-c", f"import sys, {name}; print(*sys.modules)"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    assert not later.keys() & set(done.stdout.split())


@pytest.mark.parametrize("name", EVERY)
def test_a_function_names_only_the_deployment_and_the_domain(name: str) -> None:
    """It stands on top of the layers that import-linter watches, but in no package."""
    module = ast.parse((ROOT / "functions" / f"{name}.py").read_text())
    imported = {node.module or "" for node in ast.walk(module) if isinstance(node, ast.ImportFrom)}
    named = {entry for entry in imported if entry.startswith("imagegate")}
    messages = "imagegate.adapters.sqs_webhooks"  # reads the messages of the queue that it writes
    payload = "imagegate.workflow.next_step"  # reads what the workflow carries
    assert named <= {"imagegate.deployment", "imagegate.domain.errors", messages, payload}
    assert "imagegate.deployment" in named


def test_it_leaves_out_what_the_functions_are_tried_without() -> None:
    rules = (ROOT / "lib" / "Makefile").read_text()
    for left_out in (
        "imagegate/bridge",
        "imagegate/cli",
        "imagegate/local",
        "pydantic/v1",
        "fastapi_offline/static/redoc.standalone.js",
    ):
        assert f" {left_out}" in rules


def test_its_build_fails_where_no_bytecode_can_be_written(tmp_path: Path) -> None:
    """Without it every cold start takes twice as long, which no answer shows."""
    without = {"UV_PYTHON_PREFERENCE": "only-managed", "UV_PYTHON_INSTALL_DIR": str(tmp_path), "UV_OFFLINE": "1"}
    environ = {**os.environ, **without, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["make", "-C", str(ROOT / "lib"), "build-Layer", f"ARTIFACTS_DIR={tmp_path / 'layer'}"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode != 0
    assert "uv python install 3.13" in done.stderr
    assert not (tmp_path / "layer").exists()
