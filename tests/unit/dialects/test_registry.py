"""Which API a request speaks, and what all APIs have in common."""

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest

from imagegate.dialects.openai.dialect import OPENAI_IMAGES
from imagegate.dialects.openai_chat.dialect import OPENAI_CHAT
from imagegate.dialects.openai_responses.dialect import OPENAI_RESPONSES
from imagegate.dialects.operations.dialect import OPERATIONS
from imagegate.dialects.registry import DIALECTS, dialect_at, dialect_named
from imagegate.dialects.yandexart.dialect import YANDEXART
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.representation import picture_path
from imagegate.domain.request.request import ImageRequest, Message

OPERATION = Operation(
    id="0" * 20,
    owner="k1",
    dialect="",
    request=ImageRequest(model="flux", messages=(Message("a fox"),)),
    created_at=0.0,
    deadline=900.0,
    due_at=60.0,
)


class Nothing:
    """A context from which only links may be fetched."""

    picture_link = staticmethod(picture_path)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was fetched")


def test_stored_names_never_change() -> None:
    assert set(DIALECTS) == {
        "openai_images",
        "openai_responses",
        "openai_chat",
        "yandexart",
        "operations",
        "mcp",
    }


@pytest.mark.parametrize("side", ["dialects", "web"])
def test_every_api_has_its_folder(side: str) -> None:
    for dialect in DIALECTS.values():
        assert find_spec(f"imagegate.{side}.{dialect.folder}"), dialect.folder


@pytest.mark.parametrize(
    ("path", "query", "dialect"),
    [
        ("/v1/images/generations", b"", OPENAI_IMAGES),
        ("/v1/images/generations/", b"", OPENAI_IMAGES),
        ("/v1/images/edits", b"", OPENAI_IMAGES),
        ("/v1/images/06gzj55vfn0ajhf9kn2m-0", b"", OPERATIONS),
        ("/v1/models", b"", OPENAI_IMAGES),
        ("/", b"", OPENAI_IMAGES),
        ("/v1/operations", b"", OPERATIONS),
        ("/v1/operations/06gzj55vfn0ajhf9kn2m/wait", b"", OPERATIONS),
        ("/v1/operations/06gzj55vfn0ajhf9kn2m/wait", b"hop=2", OPENAI_IMAGES),
        ("/v1/operations/06gzj55vfn0ajhf9kn2m/wait", b"chop=2", OPERATIONS),
        ("/v1/operations/06gzj55vfn0ajhf9kn2m", b"hop=2", OPERATIONS),
        ("/v1/usage", b"", OPERATIONS),
        ("/v1/responses", b"", OPENAI_RESPONSES),
        ("/v1/responses/resp_06gzj55vfn0ajhf9kn2m/cancel", b"", OPENAI_RESPONSES),
        ("/v1/responsesx", b"", OPENAI_IMAGES),
        ("/v1/chat/completions", b"", OPENAI_CHAT),
        ("/openai/deployments/flux/chat/completions", b"", OPENAI_CHAT),
        ("/operations/06gzj55vfn0ajhf9kn2m", b"", YANDEXART),
        ("/operations/06gzj55vfn0ajhf9kn2m/wait", b"hop=2", YANDEXART),
        ("/foundationModels/v1/imageGenerationAsync", b"", YANDEXART),
    ],
)
def test_a_path_belongs_to_one_api(path: str, query: bytes, dialect: Any) -> None:
    assert dialect_at(path, query) is dialect


def test_an_operation_of_an_unknown_api_is_answered_in_openais() -> None:
    """Another version of imagegate may have stored it: a rollback must not lose it."""
    assert dialect_named("of-next-week") is OPENAI_IMAGES
    assert dialect_named("yandexart") is YANDEXART


def test_the_answer_of_links_is_never_too_large() -> None:
    ended = replace(OPERATION, state=State.SUCCEEDED, ended_at=1.0)
    answer = OPERATIONS.render_too_large(ended, Nothing())
    assert answer == OPERATIONS.render_ended(ended, Nothing())


def test_a_picture_that_is_too_large_for_yandexart_is_an_error_that_says_where_it_is() -> None:
    answer = YANDEXART.render_too_large(OPERATION, Nothing())
    assert (answer.status, answer.body["code"]) == (400, 9)
    assert f"/v1/operations/{OPERATION.id}" in answer.body["message"]
