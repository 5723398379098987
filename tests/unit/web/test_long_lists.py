"""Lists of the longest texts: pages stay below Lambda's limit, and together they are complete."""

import json
from dataclasses import replace

import pytest

from imagegate.domain.webhooks.delivery import Delivery, DeliveryAttempt
from imagegate.local.gateway_exchange import LAMBDA_LIMIT_BYTES
from support.fuzz_server import able_routes
from support.gateway import Gateway, event

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("character", ["🦊", "é", '"', "\\"])
def test_a_list_of_long_texts_ends_before_lambdas_limit(character: str) -> None:
    gateway = Gateway(hold_seconds=0, routes=able_routes())
    prompt = character * min(32_000, 128 * 1024 // len(character.encode()))
    made = [gateway.call("POST", "/v1/operations", {"model": "flux", "prompt": prompt}).json()["id"] for _ in range(60)]
    for entry in made:
        # An expanded prompt doubles what is shown.
        operation = gateway.store.get(entry)
        assert operation
        gateway.store.replace(replace(operation, revised_prompt=prompt, version=operation.version + 1))
    seen: list[str] = []
    token = ""
    while token is not None:
        answered = gateway.handler(event("GET", f"/v1/operations?page_size=100{token}", b"", {}), None)
        assert len(json.dumps(answered, ensure_ascii=False).encode()) < LAMBDA_LIMIT_BYTES
        page = json.loads(answered["body"])
        seen += [entry["id"] for entry in page["operations"]]
        token = page["next_page_token"] and f"&page_token={page['next_page_token']}"
    assert seen == sorted(made, reverse=True)


def test_the_deliveries_of_an_operation_end_before_lambdas_limit() -> None:
    gateway = Gateway(hold_seconds=0)
    body = {"model": "flux", "prompt": "a", "webhook": {"url": "https://example.com/", "secret": "whsec_" + "A" * 32}}
    operation_id = gateway.call("POST", "/v1/operations", body).json()["id"]
    tries = tuple(DeliveryAttempt(at=1.0, seconds=0.1, error='"' * 200) for _ in range(30))
    for sequence in range(1, 401):
        gateway.deliveries.put(
            Delivery(
                operation_id=operation_id,
                sequence=sequence,
                event="queued",
                event_id=f"e.{sequence}",
                body="{}",
                announced_at=1.0,
                expires_at=9.0,
                version=1,
                tries=tries,
            )
        )
    seen: list[int] = []
    token = ""
    while token is not None:
        answered = gateway.handler(event("GET", f"/v1/operations/{operation_id}/deliveries{token}", b"", {}), None)
        assert len(json.dumps(answered, ensure_ascii=False).encode()) < LAMBDA_LIMIT_BYTES
        page = json.loads(answered["body"])
        seen += [entry["sequence"] for entry in page["deliveries"]]
        token = page["next_page_token"] and f"?page_token={page['next_page_token']}"
    assert seen == list(range(1, 401))
