"""Stored documents: what was written comes back, also from a later version of the code."""

import dataclasses
import json
from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegate.adapters.dynamodb_operations import operation_of
from imagegate.domain.access.api_key import ApiKey
from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.document import dumps, loads
from imagegate.domain.operation.operation import Operation
from imagegate.domain.webhooks.delivery import Delivery
from support.world import World, ready

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def instances(kind: Any) -> st.SearchStrategy[Any]:
    """A strategy for `kind` with every field filled, at every depth."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: values(hints[field.name]) for field in dataclasses.fields(kind)})


def values(hint: Any) -> st.SearchStrategy[Any]:
    if dataclasses.is_dataclass(hint):
        return instances(hint)
    choices = get_args(hint)
    if get_origin(hint) is tuple:
        items = values(choices[0])
        return st.lists(items, max_size=2).map(tuple) if choices[-1] is ... else st.tuples(*map(values, choices))
    if NoneType in choices:
        return st.one_of(st.none(), *(values(choice) for choice in choices if choice is not NoneType))
    if get_origin(hint) is Mapping:
        return st.dictionaries(st.text(), st.text(), max_size=2)
    return NUMBERS if hint is float else st.from_type(hint)


FREE = {"reply", "metadata", "ticket", "svg", "prompt_rewriter"}
"""Fields whose keys are a caller's or a provider's own."""


def with_later_fields(document: Any) -> Any:
    """The document as a version writes it that has a field more in every class."""
    if isinstance(document, list):
        return [with_later_fields(item) for item in document]
    if not isinstance(document, dict):
        return document
    later = {name: value if name in FREE else with_later_fields(value) for name, value in document.items()}
    return {**later, "added_later": {"deep": [1]}}


def from_later(text: str) -> str:
    """The text of a stored document as a later version writes it."""
    return json.dumps(with_later_fields(json.loads(text)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Operation, ApiKey, Delivery])
@given(data=st.data())
def test_documents_come_back_whole_also_from_a_later_version(kind: type, data: st.DataObject) -> None:
    value = data.draw(instances(kind))
    assert loads(kind, dumps(value)) == value
    assert loads(kind, from_later(dumps(value))) == value


def test_a_failure_code_of_a_later_version_reads_as_internal() -> None:
    assert FailureCode("added_later") is FailureCode.INTERNAL


class FromLater(dict[str, str]):
    """Stored documents that every reader finds as a later version writes them."""

    def get(self, key: str, default: Any = None) -> Any:
        return from_later(self[key]) if key in self else default

    def values(self) -> Any:
        return [from_later(text) for text in super().values()]


def test_every_step_reads_operations_of_a_later_version() -> None:
    world = World()
    world.store.documents = FromLater()
    world.alpha.checks = [ready()]
    made = world.drive(world.begun(expand=True))
    assert (made.state, made.provider, made.revised_prompt) == ("succeeded", "alpha", world.expander.answers[0])
    broken = world.begun()
    world.clock.sleep(1000)
    assert world.sweep() == 1
    world.fail(broken.id, "Error")
    assert world.now(broken).state == "failed"
    world.retry(world.now(broken))
    assert world.cancel(world.now(broken)).state == "cancelled"


def test_the_stream_reads_operations_of_a_later_version() -> None:
    world = World()
    operation = world.begun()
    item = {"pk": {"S": f"op#{operation.id}"}, "body": {"S": from_later(dumps(operation))}, "added": {"N": "1"}}
    assert operation_of(item) == operation
