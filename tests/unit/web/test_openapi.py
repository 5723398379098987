"""The OpenAPI document: kept in the repository, complete, and true."""

import json
from pathlib import Path
from typing import Any

import pytest

from imagegate.web.app import create_app
from support.gateway import Gateway

KEPT = Path(__file__).parents[3] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Gateway().services).openapi()


def test_the_kept_document_is_the_made_one(document: dict[str, Any]) -> None:
    assert json.loads(KEPT.read_text()) == document, "run `make docs`"


def test_every_route_has_a_summary_and_its_errors(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert route["summary"], (method, path)
            assert route["tags"], (method, path)
            if method == "post" and not path.endswith(("wait", ":cancel", ":retry")):
                assert route["requestBody"]["content"]["application/json"]["examples"], path
            if path not in ("/v1/models",):
                assert any(status >= "400" for status in route["responses"]), (method, path)


def test_fastapis_own_errors_are_nowhere(document: dict[str, Any]) -> None:
    assert "ValidationError" not in json.dumps(document)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    for part in text.split('"$ref": "')[1:]:
        name = part.split('"')[0].removeprefix("#/components/schemas/")
        assert name in schemas
