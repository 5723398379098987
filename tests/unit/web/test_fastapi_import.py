"""The api function's start builds no validator of FastAPI's OpenAPI models, and the document stays the same."""

import json
import subprocess
import sys

import pytest

from support.gateway import Gateway

pytestmark = pytest.mark.slow

LEAN = """
from imagegate.web.fastapi_import import import_fastapi
import_fastapi()
from fastapi.openapi.models import OpenAPI, Schema
from pydantic import BaseModel
assert not OpenAPI.__pydantic_complete__, "it is built already: FastAPI or pydantic has changed"
assert not Schema.__pydantic_complete__

class Ours(BaseModel):
    name: str

assert Ours.__pydantic_complete__, "only FastAPI's models are deferred"
from support.gateway import Gateway
print(Gateway().call("GET", "/openapi.json").text)
"""


def test_the_document_is_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAN], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert json.loads(done.stdout) == Gateway().call("GET", "/openapi.json").json()
