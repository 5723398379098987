"""The project as SAM CLI builds and packages it, in a folder of its own and against a moto server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from support.processes import listening, reserved_port
from support.stack_settings import TEMPLATE

ROOT = Path(__file__).parents[2]
UNDER_TEST = Path(os.environ.get("TEMPLATE") or TEMPLATE)
"""The template that is tried."""
SAM, MOTO = (ROOT / ".venvs" / name / "bin" for name in ("sam", "moto"))
ARTIFACTS = "artifacts"
"""The bucket that packages go to."""
_SOURCES = ("functions", "lib", "infra")
_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "SAM_CLI_TELEMETRY": "0",
}


@dataclass(frozen=True)
class Account:
    """An AWS account by moto."""

    endpoint: str

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables for programs that are to find it: SAM CLI, uv, make and nothing of the caller's AWS settings."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
        path = f"{SAM}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**inherited, **_ACCOUNT, "AWS_ENDPOINT_URL": self.endpoint, "PATH": path}

    def client(self, service: str) -> Any:
        """A boto3 client."""
        session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
        return session.client(service, endpoint_url=self.endpoint)


@contextmanager
def account(log: Path) -> Iterator[Account]:
    """A moto server, with the bucket for packages."""
    environment = {"PATH": os.environ["PATH"]}
    with reserved_port() as port:
        command = [str(MOTO / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
        with listening(command, port, log, environment, log.parent):
            made = Account(f"http://127.0.0.1:{port}")
            made.client("s3").create_bucket(Bucket=ARTIFACTS)
            yield made


@dataclass(frozen=True)
class Project:
    """A copy of what a deployment is made of."""

    folder: Path
    account: Account

    def sam(self, *arguments: str) -> str:
        """Run a command of SAM CLI; returns what it says. Raises AssertionError with that when it fails."""
        done = subprocess.run(
            ["sam", *arguments],
            cwd=self.folder,
            env=self.account.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        message = done.stdout + done.stderr
        assert done.returncode == 0, f"sam {' '.join(arguments)}:\n{message}"
        return message

    @property
    def layer(self) -> Path:
        """What `sam build` has put into the layer."""
        return self.folder / ".aws-sam" / "build" / "Layer"

    @property
    def function(self) -> Path:
        """What `sam build` has put into a function; all functions hold the same modules."""
        return self.folder / ".aws-sam" / "build" / "ApiFunction"


def copy_project(folder: Path, account: Account) -> Project:
    """The checkout's sources with the template that is tried, and stale bytecode beside the functions."""
    for name in _SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    # As after a test run: an earlier interpreter's bytecode, which must not be deployed.
    (folder / "functions" / "__pycache__").mkdir()
    (folder / "functions" / "__pycache__" / "api.cpython-311.pyc").write_bytes(b"stale")
    shutil.copy(UNDER_TEST, folder / "template.yaml")
    return Project(folder, account)
