"""Requests that schemathesis makes up from our OpenAPI document: such as it forbids, and such as it allows."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from support.hostile import Hostile, event_of

SCHEMA = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "openapi.json")
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]


def each_case(count: int, key: str, use: Callable[[Hostile], None]) -> None:
    """Hand about `count` requests to `use`, three quarters of them forbidden; the same ones every time."""
    for mode, share in ((GenerationMode.NEGATIVE, 0.75), (GenerationMode.POSITIVE, 0.25)):
        for operation in OPERATIONS:

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=max(1, round(count * share / len(OPERATIONS))),
                derandomize=True,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def send(case: schemathesis.Case) -> None:
                use(hostile(case, key))

            try:
                send()
            except Unsatisfiable:
                continue  # what has no parameter cannot be asked for wrongly


def hostile(case: schemathesis.Case, key: str) -> Hostile:
    """The case as an event."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://api.invalid")).prepare()
    parts, body = urlsplit(prepared.url or ""), prepared.body or b""
    headers = {name.lower(): str(value) for name, value in prepared.headers.items()}
    headers |= {"host": "api.invalid", "authorization": f"Bearer {key}"}
    content = body if isinstance(body, bytes) else str(body).encode()
    event = event_of(prepared.method or "", parts.path, parts.query, headers, content)
    return Hostile(f"schemathesis, {case.meta.generation.mode.value if case.meta else 'any'}", event, "\0")
