"""The SAM CLI, in an environment of its own: it pins other versions of boto3 and click."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from imagegate.domain.errors import ImagegateError


class ToolError(ImagegateError):
    """A program that deploying needs has failed; its own output is above."""


class Sam:
    """The SAM CLI for one checkout."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = root / "infra" / "sam" / "requirements.txt"
        self._environment = root / ".venvs" / "sam"
        self._marker = self._environment / ".installed"

    @property
    def installed(self) -> bool:
        """True when the environment has what the lock file names."""
        return self._marker.exists() and self._marker.read_bytes() == self._lock.read_bytes()

    def install(self) -> None:
        """Bring the environment to what the lock file names, hash by hash. Raises ToolError."""
        uv, python = str(_beside_python("uv")), str(self._bin / "python")
        self._run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(self._environment)])
        self._run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(self._lock)])
        self._marker.write_bytes(self._lock.read_bytes())

    def build(self) -> None:
        """Build the layer into `.aws-sam/build`, in silence unless it fails. Raises ToolError."""
        self._run([str(self._bin / "sam"), "build"], quiet=True)

    def deploy(self, stack: str, region: str, parameters: Mapping[str, str]) -> None:
        """Package what was built, and create or update the stack. Raises ToolError."""
        with tempfile.TemporaryDirectory() as folder:
            # In a file the values reach SAM as they are. It parses those on its command line, quotes and all.
            overrides = Path(folder) / "parameters.yaml"
            overrides.write_text(yaml.safe_dump(dict(parameters), default_style='"'))
            self._run(
                [
                    *(str(self._bin / "sam"), "deploy", "--stack-name", stack, "--region", region),
                    *("--resolve-s3", "--s3-prefix", stack, "--no-progressbar", "--no-fail-on-empty-changeset"),
                    *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
                    *("--parameter-overrides", f"file://{overrides}"),
                ]
            )

    @property
    def _bin(self) -> Path:
        return self._environment / "bin"

    def _run(self, command: Sequence[str], quiet: bool = False) -> None:
        path = os.pathsep.join((str(_beside_python("uv").parent), os.environ.get("PATH", "")))
        environment = {"SAM_CLI_TELEMETRY": "0", **os.environ, "PATH": path}
        out, error = (subprocess.PIPE, subprocess.STDOUT) if quiet else (None, None)
        done = subprocess.run(command, cwd=self._root, env=environment, stdout=out, stderr=error)  # noqa: S603
        if done.returncode:
            sys.stderr.write((done.stdout or b"").decode(errors="replace"))
            name = " ".join((Path(command[0]).name, *command[1:2]))
            raise ToolError(f"{name} failed with status {done.returncode}; its output is above.")


def _beside_python(name: str) -> Path:
    """The path of a program of the environment that this process runs in."""
    return Path(sys.executable).with_name(name)
