"""The native operations API."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from imagegate.dialects.operations.requests import CreateBody
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.events import Event
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from imagegate.domain.webhooks.webhook import EVENTS, secret_text
from support.fakes import picture
from support.gateway import Answered, Gateway

OPERATIONS = "/v1/operations"
BODY = {"model": "flux", "prompt": "a cat"}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def create(gateway: Gateway, body: Any = None, **headers: str) -> Answered:
    return gateway.call("POST", OPERATIONS, BODY if body is None else body, **headers)


def move(gateway: Gateway, operation_id: str, state: State, **changes: Any) -> None:
    found = gateway.store.get(operation_id)
    assert found
    now = gateway.clock.now()
    running = found if found.state is State.RUNNING else found.moved(State.RUNNING, now)
    if state is State.SUCCEEDED:
        gateway.images.put(f"images/{operation_id}", picture(), "image/png")
        kept = Picture(
            slot=0,
            key=f"images/{operation_id}",
            sha256="s",
            content_type="image/png",
            width=64,
            height=48,
            bytes=9,
            provider="beta",
            seed=7,
        )
        running = running.with_pictures((kept,))
    moved = running if state is State.RUNNING else running.moved(state, now)
    gateway.store.replace(replace(moved, version=found.version + 1, **changes))


def test_an_accepted_operation_carries_its_own_urls(gateway: Gateway) -> None:
    answer = create(gateway, BODY | {"metadata": {"order": "4711"}, "n": 2, "deadline": 60})
    body = answer.json()
    assert answer.status == 202
    assert answer.headers["location"] == answer.headers["operation-location"] == f"{OPERATIONS}/{body['id']}"
    assert 1 <= int(answer.headers["retry-after"]) < 60
    assert body["urls"]["self"] == answer.headers["location"]
    assert (body["state"], body["done"], body["metadata"], body["n"]) == ("queued", False, {"order": "4711"}, 2)
    stored = gateway.store.get(body["id"])
    assert stored
    assert stored.deadline - stored.created_at == 60


def test_prefer_wait_holds_until_it_ends(gateway: Gateway) -> None:
    sleep = gateway.clock.sleep

    def sleeping(seconds: float) -> None:
        sleep(seconds)
        [operation_id] = gateway.store.documents
        if gateway.clock.now() > 1_800_000_003 and not gateway.store.get(operation_id).done:  # type: ignore[union-attr]
            move(gateway, operation_id, State.SUCCEEDED)

    gateway.clock.sleep = sleeping  # type: ignore[method-assign]
    answer = create(gateway, prefer="wait=10")
    assert (answer.status, answer.headers["preference-applied"]) == (200, "wait=10")
    assert answer.json()["state"] == "succeeded"


def test_a_key_gives_the_same_operation_whenever(gateway: Gateway) -> None:
    first = create(gateway, idempotency_key="k1").json()["id"]
    assert (
        create(gateway, {"prompt": "a cat", "model": "flux", "seed": None}, idempotency_key="k1").json()["id"] == first
    )
    move(gateway, first, State.SUCCEEDED)
    gateway.clock.sleep(3600)
    again = create(gateway, idempotency_key="k1")
    assert (again.status, again.json()["id"], again.json()["state"]) == (200, first, "succeeded")
    assert create(gateway, idempotency_key="k2").json()["id"] != first
    assert len(gateway.workflow.runs) == 2


def test_a_key_with_another_body_is_refused(gateway: Gateway) -> None:
    create(gateway, idempotency_key="k1")
    answer = create(gateway, BODY | {"seed": 1}, idempotency_key="k1")
    assert (answer.status, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(gateway.store.documents) == 1


def test_without_a_key_every_request_is_its_own(gateway: Gateway) -> None:
    assert create(gateway).json()["id"] != create(gateway).json()["id"]


def test_validate_only_makes_nothing(gateway: Gateway) -> None:
    answer = create(gateway, BODY | {"validate_only": True}, idempotency_key="k1")
    assert answer.status == 200
    assert [stop["provider"] for stop in answer.json()["route"]] == ["alpha", "beta"]
    assert create(gateway, BODY | {"validate_only": True, "model": "nope"}).status == 404
    assert not gateway.store.documents
    assert not gateway.store.claims
    assert not gateway.workflow.runs


def test_validate_only_says_what_it_would_cost_and_take() -> None:
    poll = Limits(
        completion=CompletionMode.POLL, grid=Grid(64, 2048, 8), prompt_characters=1000, capabilities=frozenset({"seed"})
    )
    blocking = Limits(
        completion=CompletionMode.SYNC,
        grid=Grid(64, 2048, 8),
        prompt_characters=1000,
        images_per_call=4,
        capabilities=frozenset({"seed"}),
    )
    targets = (
        Target(provider="alpha", model="m", limits=poll, price_usd=0.003),
        Target(provider="beta", model="m", limits=blocking, price_usd=0.1),
        Target(provider="gamma", model="m", limits=blocking),
    )
    gateway = Gateway(routes=Routes([Route(model="flux", targets=targets)]))
    for _ in range(100):
        gateway.latencies.observe("alpha", "m", 3.0, 3.0)
    body = BODY | {"validate_only": True, "n": 5, "size": {"width": 65, "height": 64}}
    reported = create(gateway, body).json()
    alpha, beta, gamma = reported["route"]
    assert [stop["estimated_cost_usd"] for stop in reported["route"]] == [0.015, 0.5, None]
    assert 2.5 < alpha["estimated_seconds"] < 3.5
    assert alpha["estimated_seconds"] <= alpha["slow_seconds"] < 6
    assert alpha["not_honoured"] == ["size"]
    assert {name: reported[name] for name in ("estimated_cost_usd", "estimated_seconds", "slow_seconds")} == {
        name: alpha[name] for name in ("estimated_cost_usd", "estimated_seconds", "slow_seconds")
    }
    once = gateway.latencies.get("beta", "m").quantile(0.5)
    assert (beta["estimated_seconds"], gamma["estimated_seconds"]) == (round(2 * once, 3), round(2 * once, 3))
    [_, seeded, _] = create(gateway, body | {"seed": 1}).json()["route"]
    assert seeded["estimated_seconds"] == round(5 * once, 3)


@pytest.mark.parametrize(("seed", "passed_over"), [(2**31 - 1, []), (2**31, ["seed"]), (2**63 - 1, ["seed"])])
def test_a_seed_beyond_a_providers_range_is_said_not_to_be_the_one_used(
    gateway: Gateway, seed: int, passed_over: list[str]
) -> None:
    reported = create(gateway, BODY | {"validate_only": True, "seed": seed}).json()
    assert [stop["not_honoured"] for stop in reported["route"]] == [passed_over] * 2


def test_an_unchanged_operation_is_not_sent_again(gateway: Gateway) -> None:
    operation_id = create(gateway).json()["id"]
    document = gateway.call("GET", f"{OPERATIONS}/{operation_id}")
    assert "retry-after" in document.headers
    etag = document.headers["etag"]
    for tags in (etag, etag.removeprefix("W/"), f'"x", {etag}', "*"):
        assert gateway.call("GET", f"{OPERATIONS}/{operation_id}", if_none_match=tags).status == 304
    for tags in ('W/"11"', '"x"', "1"):
        assert gateway.call("GET", f"{OPERATIONS}/{operation_id}", if_none_match=tags).status == 200
    move(gateway, operation_id, State.SUCCEEDED)
    changed = gateway.call("GET", f"{OPERATIONS}/{operation_id}", if_none_match=etag)
    assert changed.status == 200
    assert "retry-after" not in changed.headers


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
def test_what_has_ended_is_shown_though_nobody_makes_such_things_any_more(gateway: Gateway, state: State) -> None:
    operation_id = create(gateway, BODY | {"seed": 1}).json()["id"]
    move(gateway, operation_id, state)
    unable = replace(gateway, routes=Routes([]))
    assert unable.call("GET", f"{OPERATIONS}/{operation_id}").json()["state"] == state


def test_waiting_for_a_native_operation(gateway: Gateway) -> None:
    operation_id = create(gateway).json()["id"]
    answer = gateway.call("GET", f"{OPERATIONS}/{operation_id}/wait")
    hops = 0
    while answer.status == 303:
        answer, hops = gateway.call("GET", answer.headers["location"]), hops + 1
    assert (answer.status, hops) == (202, 18)
    move(gateway, operation_id, State.SUCCEEDED)
    assert gateway.call("GET", f"{OPERATIONS}/{operation_id}/wait").json()["state"] == "succeeded"


def test_cancelling_before_the_start_cost_nothing(gateway: Gateway) -> None:
    operation_id = create(gateway).json()["id"]
    answer = gateway.call("POST", f"{OPERATIONS}/{operation_id}:cancel")
    body = answer.json()
    assert (answer.status, body["state"], body["started_at"], body["may_have_cost"]) == (200, "cancelled", None, False)
    assert gateway.call("POST", f"{OPERATIONS}/{operation_id}:cancel").json()["version"] == body["version"]
    assert len(gateway.workflow.runs) == 1


def test_cancelling_while_running_says_that_it_may_have_cost(gateway: Gateway) -> None:
    operation_id = create(gateway).json()["id"]
    attempt = Attempt(
        number=1,
        provider="alpha",
        model="m",
        slots=(0,),
        state=AttemptState.SUBMITTED,
        started_at=1.0,
        ticket={"job": 1},
    )
    move(gateway, operation_id, State.RUNNING, attempts=(attempt,))
    body = gateway.call("POST", f"{OPERATIONS}/{operation_id}:cancel").json()
    assert (body["state"], body["may_have_cost"]) == ("cancelled", True)
    assert body["started_at"]
    assert gateway.workflow.runs[-1] == (operation_id, f"{operation_id}-{body['version']}")


@pytest.mark.parametrize(
    ("state", "action"),
    [(State.SUCCEEDED, "cancel"), (State.FAILED, "cancel"), (State.SUCCEEDED, "retry"), (State.RUNNING, "retry")],
)
def test_what_is_not_possible_in_a_state(gateway: Gateway, state: State, action: str) -> None:
    operation_id = create(gateway).json()["id"]
    move(gateway, operation_id, state)
    answer = gateway.call("POST", f"{OPERATIONS}/{operation_id}:{action}")
    assert (answer.status, answer.json()["code"]) == (409, "wrong_state")


@pytest.mark.parametrize(
    ("state", "action", "said", "remedy"),
    [
        (State.SUCCEEDED, "retry", "has succeeded.", "For other pictures start a new one."),
        (State.RUNNING, "retry", "is running.", "Wait until it has ended."),
        (State.SUCCEEDED, "cancel", "has succeeded.", "There is nothing left to cancel."),
        (State.FAILED, "cancel", "has failed.", "There is nothing left to cancel."),
    ],
)
def test_what_is_not_possible_comes_with_what_is(
    gateway: Gateway, state: State, action: str, said: str, remedy: str
) -> None:
    operation_id = create(gateway).json()["id"]
    move(gateway, operation_id, state)
    reported = gateway.call("POST", f"{OPERATIONS}/{operation_id}:{action}").json()
    assert (reported["detail"], reported["remedy"]) == (f"Operation {operation_id} {said}", remedy)


def test_retry_begins_anew_under_the_same_id(gateway: Gateway) -> None:
    operation_id = create(gateway).json()["id"]
    failure = Failure(FailureCode.UPSTREAM_FAILED, "crashed")
    attempts = tuple(
        Attempt(
            number=at,
            provider="alpha",
            model="m",
            slots=(0,),
            state=AttemptState.FAILED,
            started_at=1.0,
            failure=failure,
        )
        for at in (1, 2)
    )
    move(gateway, operation_id, State.FAILED, attempts=attempts, failure=failure)
    gateway.clock.sleep(10_000)
    answer = gateway.call("POST", f"{OPERATIONS}/{operation_id}:retry")
    body = answer.json()
    assert (answer.status, body["state"], body["error"], body["ended_at"]) == (202, "queued", None, None)
    assert len(body["attempts"]) == 2
    stored = gateway.store.get(operation_id)
    assert stored
    assert stored.counted_attempts == ()
    assert stored.deadline == gateway.clock.now() + 900
    assert gateway.workflow.runs[-1] == (operation_id, f"{operation_id}-{stored.version}")


def test_deleting_leaves_neither_record_nor_picture(gateway: Gateway) -> None:
    operation_id = create(gateway).json()["id"]
    refused = gateway.call("DELETE", f"{OPERATIONS}/{operation_id}")
    assert (refused.status, refused.json()["remedy"]) == (409, "Cancel it first.")
    move(gateway, operation_id, State.SUCCEEDED)
    assert gateway.call("DELETE", f"{OPERATIONS}/{operation_id}").status == 204
    assert not gateway.images.objects
    assert gateway.call("GET", f"{OPERATIONS}/{operation_id}").status == 404


def test_pictures_by_their_id(gateway: Gateway) -> None:
    operation_id = create(gateway).json()["id"]
    move(gateway, operation_id, State.SUCCEEDED)
    [document] = gateway.call("GET", f"{OPERATIONS}/{operation_id}").json()["images"]
    answer = gateway.call("GET", document["url"])
    assert (answer.status, answer.headers["location"]) == (302, f"https://bucket.invalid/images/{operation_id}?signed")
    assert answer.headers["cache-control"] == "private, max-age=300"
    for unknown in (f"{operation_id}-1", f"{operation_id}-x", operation_id, "x-0", "foo", f"{operation_id}-²"):
        missing = gateway.call("GET", f"/v1/images/{quote(unknown)}")
        assert (missing.status, missing.json()["code"]) == (404, "image_not_found")
        assert missing.json()["detail"] == f"Picture '{unknown}' does not exist."
    gateway.clock.sleep(7 * 86_400 + 1)
    gone = gateway.call("GET", document["url"])
    assert (gone.status, gone.json()["code"]) == (410, "gone")


def test_the_origin_of_a_picture_outlives_its_file(gateway: Gateway) -> None:
    operation_id = create(gateway).json()["id"]
    move(gateway, operation_id, State.SUCCEEDED)
    gateway.clock.sleep(7 * 86_400 + 1)
    [document] = gateway.call("GET", f"{OPERATIONS}/{operation_id}").json()["images"]
    origin = gateway.call("GET", f"/v1/images/{operation_id}-0/provenance").json()
    assert (origin["id"], origin["operation_id"]) == (f"{operation_id}-0", operation_id)
    assert {name: origin[name] for name in ("sha256", "provider", "content_type", "provenance")} == {
        name: document[name] for name in ("sha256", "provider", "content_type", "provenance")
    }
    assert gateway.call("GET", f"/v1/images/{operation_id}-7/provenance").status == 404


def test_a_redirect_is_not_kept_longer_than_where_it_leads() -> None:
    gateway = Gateway(presign_seconds=60)
    operation_id = create(gateway).json()["id"]
    move(gateway, operation_id, State.SUCCEEDED)
    answer = gateway.call("GET", f"/v1/images/{operation_id}-0")
    assert answer.headers["cache-control"] == "private, max-age=30"


def test_a_callers_sixteen_notes_are_handed_back_and_announced(gateway: Gateway) -> None:
    notes = {f"k{at}" * 16: "v" * 512 for at in range(16)}
    created = create(gateway, BODY | {"metadata": notes}).json()
    assert created["metadata"] == notes
    stored = gateway.store.get(created["id"])
    assert stored
    assert Event(stored).detail()["operation"]["metadata"] == notes


def test_after_its_retention_an_operation_is_gone_not_unknown(gateway: Gateway) -> None:
    old = new_id(gateway.clock.now() - 31 * 86_400)
    young = new_id(gateway.clock.now() - 29 * 86_400)
    assert gateway.call("GET", f"{OPERATIONS}/{old}").status == 410
    assert gateway.call("GET", f"{OPERATIONS}/{young}").status == 404


def test_lists_are_newest_first_and_survive_insertions(gateway: Gateway) -> None:
    ids = []
    for _ in range(7):
        ids.append(create(gateway).json()["id"])
        gateway.clock.sleep(1)
    page = gateway.call("GET", f"{OPERATIONS}?page_size=3").json()
    seen = [entry["id"] for entry in page["operations"]]
    create(gateway)
    while page["next_page_token"]:
        page = gateway.call("GET", f"{OPERATIONS}?page_size=3&page_token={page['next_page_token']}").json()
        seen += [entry["id"] for entry in page["operations"]]
    assert seen == ids[::-1]


def test_lists_are_filtered(gateway: Gateway) -> None:
    first = create(gateway).json()
    gateway.clock.sleep(10)
    second = create(gateway).json()
    move(gateway, first["id"], State.SUCCEEDED)

    def listed(query: str) -> list[str]:
        return [entry["id"] for entry in gateway.call("GET", f"{OPERATIONS}?{query}").json()["operations"]]

    assert listed("state=succeeded") == [first["id"]]
    assert listed("model=nope") == []
    assert listed(f"created_before={second['created_at']}") == [first["id"]]
    assert listed(f"created_after={second['created_at']}") == [second["id"]]
    for long_ago in ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"):
        assert listed(f"created_before={long_ago}") == []
        assert listed(f"created_after={long_ago}") == [second["id"], first["id"]]


def test_bad_queries_are_told_in_words(gateway: Gateway) -> None:
    message = [
        gateway.call("GET", f"{OPERATIONS}?{query}").json()["detail"].partition(": ")[2]
        for query in ("page_size=0", "page_size=many", "created_after=yesterday", "state=lost")
    ]
    assert message == [
        "must be at least 1.",
        "must be a whole number.",
        "must be an RFC 3339 time with a time zone.",
        "must be 'queued', 'running', 'succeeded', 'failed' or 'cancelled'.",
    ]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("page_size=many", "page_size"),
        ("state=lost", "state"),
        ("created_after=yesterday", "created_after"),
        ("page_token=%F0%9F%90%88", "page_token"),
        ("page_token=AAAA", "page_token"),
    ],
)
def test_bad_queries_name_the_parameter(gateway: Gateway, query: str, param: str) -> None:
    answer = gateway.call("GET", f"{OPERATIONS}?{query}")
    assert (answer.status, answer.json()["param"]) == (400, param)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"[]", None),
        ({"prompt": "x"}, "model"),
        ({"model": "flux"}, "prompt"),
        ({"model": "flux", "prompt": " \n"}, "prompt"),
        (BODY | {"n": "two"}, "n"),
        (BODY | {"n": True}, "n"),
        (BODY | {"n": 11}, "n"),
        (BODY | {"siez": "big"}, "siez"),
        (BODY | {"size": {"width": 64}}, "size"),
        (BODY | {"size": {"width": 64, "height": 64, "depth": 1}}, "size"),
        (BODY | {"size": {"width": 64, "height": 64}, "aspect_ratio": "1:1"}, "aspect_ratio"),
        (BODY | {"aspect_ratio": "0:1"}, "aspect_ratio"),
        (BODY | {"deadline": 90_000}, "deadline"),
        (BODY | {"metadata": {str(at): "x" for at in range(17)}}, "metadata"),
        (BODY | {"metadata": {"k": 1}}, "metadata.k"),
        (BODY | {"output_format": "gif"}, "output_format"),
        (BODY | {"output_format": "png", "output_compression": 50}, "output_compression"),
    ],
)
def test_bad_bodies_name_the_field(gateway: Gateway, body: Any, param: str | None) -> None:
    answer = create(gateway, body)
    problem = answer.json()
    assert (answer.status, problem.get("param")) == (400, param)
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(problem)


def test_null_is_as_good_as_absent(gateway: Gateway) -> None:
    fields = dict.fromkeys(CreateBody.model_fields.keys() - BODY.keys())
    first = create(gateway, BODY, idempotency_key="k").json()
    assert create(gateway, BODY | fields, idempotency_key="k").json()["id"] == first["id"]
    webhook = {"url": "https://hooks.example.com/", "secret": secret_text(bytes(32)), "events": None}
    assert create(gateway, BODY | {"webhook": webhook}).json()["webhook"]["events"] == list(EVENTS)


def test_nothing_to_avoid_demands_no_provider_that_avoids(gateway: Gateway) -> None:
    operation = gateway.store.get(create(gateway, BODY | {"negative_prompt": ""}).json()["id"])
    assert operation
    assert operation.request.negative_prompt is None


def test_an_idempotency_key_has_a_length(gateway: Gateway) -> None:
    assert create(gateway, idempotency_key="k" * 256).json()["param"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{OPERATIONS}/{'0' * 20}", 404),
        ("POST", f"{OPERATIONS}/{'0' * 20}:cancel", 404),
        ("POST", f"{OPERATIONS}/{'0' * 20}:retry", 404),
        ("DELETE", f"{OPERATIONS}/{'0' * 20}", 404),
        ("PUT", OPERATIONS, 405),
        ("GET", f"{OPERATIONS}/a/b", 404),
    ],
)
def test_problems_of_routes(gateway: Gateway, method: str, path: str, status: int) -> None:
    answer = gateway.call(method, path)
    assert answer.status == status
    assert answer.json()["request_id"] == "request-1"
