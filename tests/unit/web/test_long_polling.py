"""Waiting through a gateway that allows thirty seconds: budgets, repeats, preferences, streams, large answers."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from openai.types import ImagesResponse
from openai.types.image_gen_completed_event import ImageGenCompletedEvent

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.timing.long_poll import HANDOVER
from imagegate.web import http
from support.fakes import picture
from support.gateway import Answered, Gateway

GENERATIONS = "/v1/images/generations"
PROMPT = {"prompt": "a cat", "model": "flux"}
OPENAI = "OpenAI/Python 3.52.0"


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def post(gateway: Gateway, agent: str = OPENAI, body: Any = None, **headers: str) -> Answered:
    return gateway.call("POST", GENERATIONS, body or PROMPT, user_agent=agent, **headers)


def follow(gateway: Gateway, answer: Answered, agent: str = OPENAI) -> tuple[Answered, int]:
    hops = 0
    while answer.status == 303 and answer.headers["location"].startswith("/"):
        answer = gateway.call("GET", answer.headers["location"], user_agent=agent)
        hops += 1
    return answer, hops


def end(gateway: Gateway, failure: Failure | None = None, body: bytes | None = None, n: int = 1) -> None:
    """End the newest operation."""
    found = gateway.store.get(list(gateway.store.documents)[-1])
    assert found
    running = found.moved(State.RUNNING, gateway.clock.now())
    if failure:
        ended = running.moved(State.FAILED, gateway.clock.now(), failure=failure)
    else:
        kept = []
        for slot in range(n):
            gateway.images.put(f"images/{found.id}/{slot}", body or picture(), "image/png")
            kept.append(
                Picture(
                    slot=slot,
                    key=f"images/{found.id}/{slot}",
                    sha256="s",
                    content_type="image/png",
                    width=64,
                    height=48,
                    bytes=9,
                    provider="beta",
                    seed=7,
                )
            )
        ended = running.with_pictures(tuple(kept)).complete_if_done(gateway.clock.now())
    gateway.store.replace(replace(ended, version=found.version + 1))


@pytest.mark.parametrize(
    ("states", "told"), [((), False), (("failed",), True), (("failed", "submitted"), False), (("unknown",), False)]
)
def test_while_nobody_takes_it_the_last_reason_is_told(gateway: Gateway, states: Sequence[str], told: bool) -> None:
    first = post(gateway)
    found = gateway.store.get(next(iter(gateway.store.documents)))
    assert found
    throttled = Failure(FailureCode.RATE_LIMITED, "alpha: come back in an hour.")
    for number, state in enumerate(states, 1):
        attempt = Attempt(
            number=number, provider="alpha", model="m", slots=(0,), state=AttemptState(state), started_at=1.0
        )
        failed = attempt.state is AttemptState.FAILED
        found = found.with_attempt(replace(attempt, failure=throttled) if failed else attempt)
    gateway.store.replace(replace(found, version=2))
    message = follow(gateway, first)[0].json()["error"]["message"]
    assert message.endswith("No provider has accepted it yet: rate_limited, alpha: come back in an hour.") is told


def test_twenty_round_trips_three_times_are_one_operation(gateway: Gateway) -> None:
    for _ in range(2):
        answer, hops = follow(gateway, post(gateway))
        assert hops == 19
        assert answer.status == 503
        assert (answer.headers["retry-after"], answer.headers["x-should-retry"]) == ("30", "true")
        gateway.clock.sleep(30)
    answer = post(gateway)
    end(gateway)
    answer, _ = follow(gateway, answer)
    assert answer.status == 200
    assert len(gateway.store.documents) == 1
    assert len(gateway.workflow.runs) == 1


def test_a_picture_that_came_during_the_backoff_is_the_answer_to_the_repeat(gateway: Gateway) -> None:
    follow(gateway, post(gateway))
    end(gateway)
    gateway.clock.sleep(30)
    assert post(gateway).status == 200
    assert len(gateway.store.documents) == 1


def test_a_second_prompt_after_the_picture_is_a_second_picture(gateway: Gateway) -> None:
    answer = post(gateway)
    end(gateway)
    assert follow(gateway, answer)[0].status == 200
    post(gateway)
    assert len(gateway.store.documents) == 2


def test_a_second_prompt_after_a_delivered_repeat_is_a_second_picture(gateway: Gateway) -> None:
    follow(gateway, post(gateway))
    end(gateway)
    assert post(gateway).status == 200
    post(gateway)
    assert len(gateway.store.documents) == 2


def test_a_client_that_says_it_retries_gets_what_is_there(gateway: Gateway) -> None:
    answer = post(gateway)
    end(gateway)
    follow(gateway, answer)
    assert post(gateway, x_stainless_retry_count="1").status == 200
    assert len(gateway.store.documents) == 1


def test_after_ten_minutes_a_repeat_is_a_new_order(gateway: Gateway) -> None:
    follow(gateway, post(gateway))
    end(gateway)
    gateway.clock.sleep(601)
    post(gateway, x_stainless_retry_count="1")
    assert len(gateway.store.documents) == 2


def test_simultaneous_posts_share_what_is_running_and_each_is_told(gateway: Gateway) -> None:
    answers = [post(gateway) for _ in range(20)]
    end(gateway)
    assert {follow(gateway, answer)[0].json()["operation_id"] for answer in answers} == set(gateway.store.documents)
    assert len(gateway.store.documents) == 1


def test_another_owner_or_body_is_another_operation(gateway: Gateway) -> None:
    post(gateway)
    post(gateway, body=PROMPT | {"seed": 1})
    post(gateway, body=PROMPT | {"user": "a user"})
    assert len(gateway.store.documents) == 3


def test_a_failure_that_cost_nothing_may_be_tried_again(gateway: Gateway) -> None:
    answer = post(gateway)
    end(gateway, Failure(FailureCode.RATE_LIMITED, "slow down", 3))
    answer, _ = follow(gateway, answer)
    assert (answer.status, answer.headers["retry-after"]) == (429, "3")
    post(gateway, x_stainless_retry_count="1")
    assert len(gateway.store.documents) == 2


def test_a_key_says_what_is_a_repetition_whatever_was_delivered(gateway: Gateway) -> None:
    first = post(gateway, idempotency_key="k1")
    end(gateway)
    assert follow(gateway, first)[0].status == 200
    gateway.clock.sleep(3600)
    again = post(gateway, idempotency_key="k1")
    assert (again.status, [again.json()["operation_id"]]) == (200, list(gateway.store.documents))
    assert post(gateway, idempotency_key="k1", x_stainless_retry_count="1").text == again.text
    post(gateway, idempotency_key="k2")
    post(gateway)
    assert len(gateway.store.documents) == len(gateway.workflow.runs) == 3


def test_a_key_with_another_body_is_refused_in_openais_words(gateway: Gateway) -> None:
    post(gateway, idempotency_key="k1")
    answer = post(gateway, body=PROMPT | {"seed": 1}, idempotency_key="k1")
    assert answer.status == 422
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == ("idempotency_key_reused", "Idempotency-Key")
    assert len(gateway.store.documents) == 1


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_a_length(gateway: Gateway, key: str) -> None:
    answer = post(gateway, idempotency_key=key)
    assert (answer.status, answer.json()["error"]["param"]) == (400, "Idempotency-Key")


def test_an_invited_second_try_is_one_under_the_same_key_too(gateway: Gateway) -> None:
    answer = post(gateway, idempotency_key="k1")
    end(gateway, Failure(FailureCode.CAPACITY, "full", 3))
    assert follow(gateway, answer)[0].headers["x-should-retry"] == "true"
    second = post(gateway, idempotency_key="k1", x_stainless_retry_count="1")
    end(gateway)
    answer, _ = follow(gateway, second)
    assert (answer.status, len(gateway.store.documents)) == (200, 2)
    assert post(gateway, idempotency_key="k1").text == answer.text


def test_yandexarts_async_requests_are_each_their_own(gateway: Gateway) -> None:
    body = {"modelUri": "art://f/flux", "messages": [{"text": "a cat"}]}
    ids = {gateway.call("POST", "/foundationModels/v1/imageGenerationAsync", body).json()["id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("agent", "status"),
    [("GuzzleHttp/7", 504), ("Faraday v2.13.1", 504), ("OpenAI/2.5.0 (.NET 9.0.1)", 503), ("n8n", 504)],
)
def test_who_follows_no_redirect_is_told_to_repeat_and_gets_the_same_picture(
    gateway: Gateway, agent: str, status: int
) -> None:
    answer = post(gateway, agent)
    assert (answer.status, answer.headers["retry-after"]) == (status, "30")
    error = answer.json()["error"]
    assert error["code"] == "operation_pending"
    assert "repeat the same request" in error["message"]
    end(gateway)
    assert post(gateway, agent).json()["operation_id"] == answer.json()["operation_id"]


def test_a_redirect_that_is_shown_says_what_to_do(gateway: Gateway) -> None:
    answer = post(gateway)
    document = answer.json()
    assert (answer.status, document["operation_id"]) == (303, next(iter(gateway.store.documents)))
    assert set(document["error"]) == {"message", "type", "param", "code"}
    assert document["error"]["code"] == "operation_pending"
    assert f"/v1/operations/{document['operation_id']}/wait" in document["error"]["message"]
    end(gateway)
    assert post(gateway).json()["operation_id"] == document["operation_id"]


def test_a_redirect_of_the_operations_api_is_a_problem(gateway: Gateway) -> None:
    operation = gateway.call("POST", "/v1/operations", PROMPT).json()
    answer = gateway.call("GET", operation["urls"]["wait"])
    assert (answer.status, answer.headers["content-type"]) == (303, "application/problem+json")
    document = answer.json()
    assert (document["status"], document["code"], document["id"]) == (303, "operation_pending", operation["id"])
    assert "repeat the same request" in document["detail"]


def test_prefer_respond_async(gateway: Gateway) -> None:
    began = gateway.clock.now()
    answer = post(gateway, prefer="respond-async")
    assert gateway.clock.now() == began
    assert answer.status == 202
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["location"] == answer.headers["operation-location"] == answer.json()["urls"]["self"]
    assert int(answer.headers["retry-after"]) in range(1, 60)
    assert gateway.call("GET", answer.headers["location"]).json()["state"] == "queued"


@pytest.mark.parametrize(
    ("prefer", "held", "applied"),
    [
        ("wait=5", 5, "wait=5"),
        ("wait=600", 25, "wait=25"),
        ("wait=0", 0, "wait=0"),
        ('wait="3", handling=lenient', 3, "wait=3"),
        ("respond-async, wait=4", 4, "respond-async, wait=4"),
        ("return=minimal", HANDOVER, None),
        ("wait=soon", HANDOVER, None),
    ],
)
def test_prefer_wait(gateway: Gateway, prefer: str, held: float, applied: str | None) -> None:
    began = gateway.clock.now()
    answer = post(gateway, prefer=prefer)
    assert gateway.clock.now() - began == pytest.approx(held)
    assert answer.headers.get("preference-applied") == applied


def test_what_waits_does_not_claim_to_respond_at_once(gateway: Gateway) -> None:
    path = post(gateway, prefer="respond-async").json()["urls"]["wait"]
    began = gateway.clock.now()
    answer = gateway.call("GET", path, prefer="respond-async, wait=4")
    assert (answer.status, gateway.clock.now() - began) == (303, pytest.approx(4))
    assert answer.headers["preference-applied"] == "wait=4"


def test_holding_reads_the_table_sparingly(gateway: Gateway) -> None:
    reads: list[bool] = []
    get = gateway.store.get

    def counted(operation_id: str, *, consistent: bool = False) -> Any:
        reads.append(consistent)
        return get(operation_id, consistent=consistent)

    gateway.store.get = counted  # type: ignore[method-assign]
    post(gateway)
    assert len(reads) < 40
    assert reads[-1] is True
    assert not any(reads[:-1])


@pytest.mark.parametrize("takes", [0.1, 0.38, 0.9])
def test_the_first_picture_of_a_model_is_seen_at_once(gateway: Gateway, takes: float) -> None:
    sleep, began = gateway.clock.sleep, gateway.clock.now()

    def slept(seconds: float) -> None:
        sleep(seconds)
        if gateway.clock.now() - began >= takes:
            gateway.clock.sleep = sleep  # type: ignore[method-assign]
            end(gateway)

    gateway.clock.sleep = slept  # type: ignore[method-assign]
    assert post(gateway, body=PROMPT | {"response_format": "url"}).status == 200
    assert gateway.clock.now() - began <= max(takes, 0.5) + 0.2


def test_a_stream_ends_in_the_events_the_sdk_knows(gateway: Gateway) -> None:
    answer = post(gateway, body=PROMPT | {"stream": True, "n": 2, "response_format": "url"})
    end(gateway, n=2)
    answer, _ = follow(gateway, answer)
    assert answer.headers["content-type"] == "text/event-stream"
    events = answer.text.strip().split("\n\n")
    assert len(events) == 2
    for event in events:
        name, data = event.split("\n")
        assert name == "event: image_generation.completed"
        ImageGenCompletedEvent.model_validate_json(data.removeprefix("data: "))


def test_a_failure_of_a_stream_is_an_event(gateway: Gateway) -> None:
    answer = post(gateway, body=PROMPT | {"stream": True})
    end(gateway, Failure(FailureCode.CONTENT_FILTERED, "not that"))
    answer, _ = follow(gateway, answer)
    assert answer.status == 200
    data = json.loads(answer.text.strip().split("\n")[1].removeprefix("data: "))
    assert data["error"]["code"] == "moderation_blocked"


def test_an_answer_too_large_for_lambda_goes_by_s3(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_BODY", 1000)
    answer = post(gateway, body=PROMPT | {"response_format": "b64_json", "n": 4})
    end(gateway, body=picture(400, 300), n=4)
    answer, _ = follow(gateway, answer)
    assert answer.status == 303
    assert answer.json()["error"]["code"] == "answer_too_large"
    assert "Location" in answer.json()["error"]["message"]
    key = answer.headers["location"].removeprefix("https://bucket.invalid/").removesuffix("?signed")
    assert key.startswith("answers/")
    whole = ImagesResponse.model_validate_json(gateway.images.objects[key])
    assert whole.data
    assert len(whole.data) == 4


def test_a_large_answer_asked_for_again_is_kept_as_long_as_a_new_one(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LARGEST_BODY", 1000)
    answer = post(gateway, body=PROMPT | {"response_format": "b64_json"})
    end(gateway, body=picture(400, 300))
    location = answer.headers["location"]
    assert gateway.call("GET", location).status == 303
    gateway.images.put("images/since/then", b"", "image/png")
    assert gateway.call("GET", location).status == 303
    assert list(gateway.images.objects)[-1].startswith("answers/")


def test_a_large_yandexart_answer_goes_by_s3_too(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_BODY", 1000)
    body = {"modelUri": "art://f/flux", "messages": [{"text": "a cat"}]}
    operation_id = gateway.call("POST", "/foundationModels/v1/imageGenerationAsync", body).json()["id"]
    end(gateway, body=picture(400, 300))
    answer = gateway.call("GET", f"/operations/{operation_id}")
    assert (answer.status, answer.json()["code"]) == (303, 9)
    assert "Location" in answer.json()["message"]


@pytest.mark.parametrize("agent", ["curl/8.5.0", "python-httpx/0.28.1", "", "n8n", "Mozilla/5.0", "php GuzzleHttp/7"])
def test_who_may_not_follow_a_redirect_is_held_in_full(gateway: Gateway, agent: str) -> None:
    began = gateway.clock.now()
    post(gateway, agent)
    assert gateway.clock.now() - began == pytest.approx(25)


@pytest.mark.parametrize(
    ("agent", "before"),
    [
        (OPENAI, 25 + 19 * 27),
        ("litellm/1.108", 25 + 19 * 27),
        ("python-requests/2.32.5", 25 + 28 * 27),
        ("Python/3.13 aiohttp/3.13.2", 25 + 8 * 27),
        ("Go-http-client/2.0", 25 + 8 * 27),
        ("Python-urllib/3.13", 25 + 9 * 27),
        ("curl/8.5.0", 25 + 19 * 27),
    ],
)
def test_nobody_waits_shorter_than_with_posts_held_in_full(gateway: Gateway, agent: str, before: float) -> None:
    began = gateway.clock.now()
    follow(gateway, post(gateway, agent), agent)
    assert before - 0.01 <= gateway.clock.now() - began <= before + 28 * 2


@pytest.mark.parametrize("agent", [OPENAI, "python-requests/2.32.5"])
def test_a_post_is_handed_over_where_waiting_is_cheaper(gateway: Gateway, agent: str) -> None:
    began = gateway.clock.now()
    assert post(gateway, agent).status == 303
    assert gateway.clock.now() - began == pytest.approx(HANDOVER)


def test_a_client_that_repeats_in_place_of_following_waits_almost_two_minutes() -> None:
    """pydantic-ai makes openai-python an HTTP client that follows no redirect, and the first request does not tell.

    Its repetitions come before a client that follows could have run out of redirects, so they are held in full.
    """
    gateway, held = Gateway(), []
    for retry in range(3):
        began = gateway.clock.now()
        answer = post(gateway, x_stainless_retry_count=str(retry))
        held.append(gateway.clock.now() - began)
        assert (answer.status, answer.headers["x-should-retry"]) == (303, "true")
        gateway.clock.sleep(float(answer.headers["retry-after"]))
    assert held == [pytest.approx(4, abs=0.2), pytest.approx(25, abs=0.2), pytest.approx(25, abs=0.2)]
    assert len(gateway.store.documents) == 1


def test_a_client_that_followed_all_redirects_is_redirected_soon_again() -> None:
    gateway = Gateway()
    assert follow(gateway, post(gateway))[0].status == 503
    began = gateway.clock.now()
    assert post(gateway, x_stainless_retry_count="1").status == 303
    assert gateway.clock.now() - began == pytest.approx(4, abs=0.2)
