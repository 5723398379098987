"""A built function under Lambda's Runtime Interface Emulator, with nothing of this checkout on its path."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from support.processes import listening, reserved_port

ROOT = Path(__file__).parents[2]
EMULATOR = ROOT / ".venvs" / "lambda" / "bin" / "aws-lambda-rie"
RUNTIME = ROOT / ".venvs" / "lambda" / "bin" / "python"
CLIENT = ROOT / "tests" / "deploy" / "runtime" / "client.py"
_PATH = "/2015-03-31/functions/function/invocations"


@dataclass(frozen=True)
class Artifact:
    """What `sam build` made of the code: the layer's content, and the functions' folder."""

    layer: Path
    functions: Path


@dataclass(frozen=True)
class EmulatedFunction:
    """A running function."""

    url: str
    log: Path
    measured: Path

    def invoke(self, event: Any) -> Any:
        """What the handler returns. Raises AssertionError with the function's log when it raises, or does not start."""
        answer = requests.post(self.url + _PATH, json=event, timeout=90).json()
        failed = isinstance(answer, dict) and "errorType" in answer
        assert not failed, f"{answer}\n{self.log.read_text()}"
        return answer

    def figures(self) -> str:
        """CPU and memory until the first event was asked for, and the most memory until now."""
        waits = [json.loads(line) for line in self.measured.read_text().splitlines()]
        return f"INIT {waits[0]['cpu_ms']} ms of CPU, {waits[0]['max_mb']} MB; at most {waits[-1]['max_mb']} MB"


@contextmanager
def emulated(
    artifact: Artifact, module: str, environment: Mapping[str, str], folder: Path
) -> Iterator[EmulatedFunction]:
    """The function `functions/<module>.py` with its environment's variables; logs and figures go to `folder`."""
    with reserved_port() as port, reserved_port() as api_port:
        function = EmulatedFunction(f"http://127.0.0.1:{port}", folder / f"{module}.log", folder / f"{module}.figures")
        command = [
            str(EMULATOR),
            f"--runtime-interface-emulator-address=127.0.0.1:{port}",
            f"--runtime-api-address=127.0.0.1:{api_port}",
            str(RUNTIME), "-P", str(CLIENT), f"{module}.handler",
        ]  # fmt: skip
        variables = {
            **environment,
            # As Lambda sets it: the layer's folder comes after the function's own.
            "PYTHONPATH": f"{artifact.functions}:{artifact.layer / 'python'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(artifact.functions),
            "AWS_LAMBDA_FUNCTION_NAME": module,
            "FIGURES": str(function.measured),
        }
        with listening(command, port, function.log, variables, artifact.functions):
            yield function
