"""The OpenAPI document is up to date in the repository, complete, and correct."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.routing import APIRoute
from typer.testing import CliRunner

from imagegate.cli.main import app
from imagegate.dialects.registry import DIALECTS
from imagegate.web.apis import documented_routes, routers
from imagegate.web.app import create_app
from support.gateway import Gateway

KEPT = Path(__file__).parents[3] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Gateway().services).openapi()


def test_the_kept_document_is_what_the_command_prints(document: dict[str, Any]) -> None:
    printed = CliRunner().invoke(app, ["openapi"])
    assert printed.exit_code == 0
    assert KEPT.read_text() == printed.stdout, "run `make docs`"
    assert json.loads(printed.stdout) == document


def routes(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every route: its method, path and documentation."""
    return [(method, path, message) for path, part in document["paths"].items() for method, message in part.items()]


def test_every_route_has_a_summary_and_examples(document: dict[str, Any]) -> None:
    for method, path, message in routes(document):
        assert message["summary"], (method, path)
        assert message["tags"], (method, path)
        if "requestBody" in message:
            assert message["requestBody"]["content"]["application/json"]["examples"], (method, path)


NO_BODY = {"204", "302", "304"}


def test_every_route_has_all_its_error_answers(document: dict[str, Any]) -> None:
    for method, path, message in routes(document):
        wanted = {"401", "500"}
        wanted |= (
            {"400"}
            if "requestBody" in message or any(other["in"] == "query" for other in message.get("parameters", ()))
            else set()
        )
        wanted |= {"404"} if "{" in path or "model" in json.dumps(message.get("requestBody")) else set()
        if path.startswith("/foundationModels"):
            wanted -= {"404"}  # YandexART refuses an unknown model with 400
        assert wanted <= set(message["responses"]), (method, path, wanted - set(message["responses"]))


@pytest.mark.slow
def test_every_answer_with_a_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    for method, path, message in routes(document):
        for status, answer in message["responses"].items():
            if status in NO_BODY or (path, status) == ("/mcp", "202"):
                continue
            displayed = [(media, entry) for media, entry in answer["content"].items() if "json" in media]
            assert displayed, (method, path, status)
            for media, other in displayed:
                schema = {**other["schema"], "components": document["components"]}
                examples = [each["value"] for each in other.get("examples", {}).values()] or [other.get("example")]
                assert examples != [None], f"{method} {path} {status}: add it to DOCUMENTED"
                for example in examples:
                    jsonschema_rs.validate(schema, example)
                if media == "application/problem+json":
                    assert examples[0]["status"] == int(status), (method, path, status)


def test_every_api_documents_its_own_routes_and_no_others() -> None:
    for dialect, router, (tag, documented) in zip(DIALECTS.values(), routers(), documented_routes(), strict=True):
        assert tag == dialect.title
        assert set(documented) == {route.name for route in router.routes if isinstance(route, APIRoute)}, tag


def test_a_name_belongs_to_the_routes_of_one_api() -> None:
    names = [name for _, documented in documented_routes() for name in documented]
    assert len(set(names)) == len(names)


def test_a_body_in_json_is_one_component_however_many_routes_take_it(document: dict[str, Any]) -> None:
    for method, path, message in routes(document):
        for content in message.get("requestBody", {}).get("content", {}).values():
            schema = content["schema"]
            reference = schema.get("$ref") or schema["allOf"][0]["$ref"]
            assert reference.endswith("Body"), (method, path)


def test_fastapis_own_errors_are_nowhere(document: dict[str, Any]) -> None:
    assert "ValidationError" not in json.dumps(document)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    for part in text.split('"$ref": "')[1:]:
        name = part.split('"')[0].removeprefix("#/components/schemas/")
        assert name in schemas
