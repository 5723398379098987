"""The schemas of events: real ones fit, wrong ones do not."""

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from typer.testing import CliRunner

from imagegate.adapters.eventbridge_bus import EventBridgeBus
from imagegate.cli.main import app
from imagegate.cli.schemas import REQUESTED, documents, file_name
from imagegate.dialects.operations import events as operations_events
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.events import event_for
from imagegate.domain.operation.operation import State
from support.event_schemas import as_described
from support.fakes import FakeClock
from support.world import World, ready

ENVELOPE = {
    "version": "0",
    "id": "6a7e8feb",
    "account": "123456789012",
    "region": "eu-central-1",
    "time": "2026-11-20T10:00:00Z",
    "resources": [],
}


def test_a_folder_that_cannot_be_one_is_refused_in_a_sentence() -> None:
    result = CliRunner().invoke(app, ["schemas", "/dev/null"])
    assert result.exit_code == 1
    assert result.stderr == (
        "imagegate: The schemas cannot be written to /dev/null: File exists. Name another folder.\n"
    )


def delivered() -> list[dict[str, Any]]:
    """What EventBridge makes of every announcement of an operation that was cancelled, retried and succeeded."""
    world = World()
    operation = world.begun(n=2)
    world.submit(operation.id)
    world.cancel(world.now(operation))
    world.alpha.checks = [ready()]
    again = world.retry(world.now(operation))
    world.drive(
        world.update_with_retry(again, lambda entry: entry.moved(State.RUNNING, world.clock.now()), sweep_after=60)
    )
    found = [event_for(old, new) for old, new in zip((None, *world.store.history), world.store.history, strict=False)]
    bus = EventBridgeBus(None, "bus", "pictures", FakeClock().sleep)
    entries = [bus._entry(event) for event in found if event]
    return [
        ENVELOPE
        | {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}
        for entry in entries
    ]


def test_real_announcements_fit_and_nothing_in_them_is_unknown() -> None:
    reported = [as_described(event)["detail-type"].rpartition(" ")[2] for event in delivered()]
    assert reported == ["Queued", "Started", "Cancelled", "Queued", "Started", "Succeeded"]


def test_what_does_not_fit_is_noticed() -> None:
    event = delivered()[-1]
    for spoil in (
        lambda entry: entry["detail"].pop("sequence"),
        lambda entry: entry["detail"]["operation"].update(state="queued"),
        lambda entry: entry["detail"]["operation"]["images"][0].pop("bucket"),
        lambda entry: entry["detail"]["operation"].update(secret="x"),
        lambda entry: entry.update(source="shop"),
    ):
        spoilt = copy.deepcopy(event)
        spoil(spoilt)
        with pytest.raises(ValidationError):
            as_described(spoilt)


def test_consumers_schemas_let_announcements_grow() -> None:
    event = delivered()[-1]
    event["detail"]["operation"]["images"][0]["colours"] = 7
    Draft202012Validator(documents()[file_name(event["detail-type"])]).validate(event)


@pytest.mark.parametrize("schema", documents().values())
def test_schemas_are_schemas_and_name_nothing_they_do_not_define(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert _references(schema) == set(schema["$defs"])


def _references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_references, schema))
    if isinstance(schema, dict):
        own = {schema["$ref"].rpartition("/")[2]} if "$ref" in schema else set()
        return own.union(*map(_references, schema.values()))
    return set()


@pytest.mark.parametrize(
    ("detail", "fits"),
    [
        ({"model": "flux", "prompt": "a cat"}, True),
        ({"model": "flux", "prompt": "a cat", "id": "order-7", "n": 3, "size": {"width": 512, "height": 512}}, True),
        ({"model": "flux", "prompt": "a cat", "id": None}, True),
        ({"model": "flux"}, False),
        ({"model": "flux", "prompt": "a cat", "id": ""}, False),
        ({"model": "flux", "prompt": "a cat", "n": 11}, False),
        ({"model": "flux", "prompt": "a cat", "promt": "x"}, False),
        ({"model": "flux", "prompt": "a cat", "validate_only": True}, False),
    ],
)
def test_a_request_fits_when_it_is_understood(detail: dict[str, Any], fits: bool) -> None:
    event = ENVELOPE | {"source": "shop", "detail-type": REQUESTED, "detail": detail}
    validator = Draft202012Validator(documents()[file_name(REQUESTED)])
    try:
        operations_events.parse(json.dumps(event))
    except InvalidRequest:
        assert not fits
    else:
        assert fits
    assert validator.is_valid(event) is fits
