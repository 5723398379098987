"""API keys over HTTP: where a request may carry one, what it allows, and how it is refused."""

from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.request.routes import Routes
from support.fakes import routes
from support.gateway import Gateway

GENERATIONS = "/v1/images/generations"
YANDEX = "/foundationModels/v1/imageGenerationAsync"
OPERATIONS = "/v1/operations"
BODY = {"model": "flux", "prompt": "a cat"}
YANDEX_BODY = {"modelUri": "art://f/flux/latest", "messages": [{"text": "a cat"}]}


@pytest.fixture
def gateway() -> Gateway:
    [flux] = routes("alpha")
    return Gateway(access="keys", routes=Routes([flux, replace(flux, model="other", aliases=())]))


@pytest.mark.parametrize(
    "form",
    [
        {"authorization": "Bearer {}"},
        {"authorization": "bearer {}"},
        {"authorization": "BEARER   {} "},
        {"authorization": "Api-Key {}"},
        {"authorization": "Api-key {}"},
        {"authorization": "api-key {}"},
        {"x-api-key": "{}"},
        {"X-Api-Key": " {} "},
        {"authorization": "Basic dXNlcjpwYXNz", "x-api-key": "{}"},
        {"authorization": "Token {}"},
        {"authorization": "{}"},
        {"api-key": "{}"},
    ],
)
@pytest.mark.parametrize(("path", "body"), [(OPERATIONS, BODY), (YANDEX, YANDEX_BODY), (GENERATIONS, BODY)])
def test_a_key_is_accepted_in_every_common_form(gateway: Gateway, path: str, body: Any, form: dict[str, str]) -> None:
    key, text = gateway.key()
    headers = {name: value.format(text) for name, value in form.items()}
    assert gateway.call("POST", path, body, **headers).status in (200, 202, 303)
    [operation_id] = gateway.store.documents
    operation = gateway.store.get(operation_id)
    assert operation
    assert operation.owner == key.id


@pytest.mark.parametrize(
    "form", ["Digest {}", "{}, x", "Bearer\t{}", "Bearer {}, Bearer {}", "Bearer {} {}", "Bearer '{}'"]
)
def test_it_is_accepted_in_no_other(gateway: Gateway, form: str) -> None:
    text = gateway.key()[1]
    answer = gateway.call("GET", OPERATIONS, authorization=form.replace("{}", text))
    assert answer.status == 401
    assert text not in answer.text


def test_openais_refusal(gateway: Gateway) -> None:
    answer = gateway.call("POST", GENERATIONS, BODY, authorization="Bearer sk-something")
    error = answer.json()["error"]
    assert (answer.status, set(answer.json())) == (401, {"error"})
    assert error["message"].startswith("Unknown API key. Send it as ")
    assert {**error, "message": ""} == {
        "message": "",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    }
    assert answer.headers["x-request-id"] == "request-1"


def test_yandexarts_refusal(gateway: Gateway) -> None:
    answer = gateway.call("POST", YANDEX, YANDEX_BODY, authorization="Api-Key AQVN-something")
    body = answer.json()
    assert (answer.status, body["code"], body["details"]) == (401, 16, [])
    assert body["message"].lower().startswith("unknown api key")
    assert body["error"] == body["message"]


def test_the_operations_apis_refusal(gateway: Gateway) -> None:
    answer = gateway.call("GET", OPERATIONS)
    assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"] == 'Bearer realm="imagegate"'
    problem = answer.json()
    assert (problem["code"], problem["request_id"]) == ("invalid_api_key", "request-1")
    assert "x-api-key" in problem["remedy"]


def test_routes_that_do_not_exist_are_behind_the_key_too(gateway: Gateway) -> None:
    text = gateway.key()[1]
    for path in ("/nowhere", "/studio", "/v1/operations/a/b", "/docs/", "/redoc"):
        assert gateway.call("GET", path).status == 401
    assert gateway.call("GET", "/nowhere", authorization=f"Bearer {text}").status == 404
    assert gateway.call("PUT", OPERATIONS, authorization=f"Bearer {text}").status == 405
    for path in ("/docs", "/openapi.json"):
        assert gateway.call("GET", path).status == 200


@pytest.mark.parametrize("model", ["flux", "flux-schnell"])
def test_a_key_for_a_model_is_for_its_aliases(gateway: Gateway, model: str) -> None:
    authorization = f"Bearer {gateway.key(models=('flux',))[1]}"
    body = BODY | {"model": model}
    assert gateway.call("POST", OPERATIONS, body, authorization=authorization).status == 202
    assert gateway.call("GET", f"/v1/models/{model}", authorization=authorization).status == 200


def test_a_key_for_a_model_is_for_no_other(gateway: Gateway) -> None:
    authorization = f"Bearer {gateway.key(models=('other',))[1]}"
    openai = gateway.call("POST", GENERATIONS, BODY, authorization=authorization)
    assert (openai.status, openai.json()["error"]["code"]) == (403, "model_not_allowed")
    assert openai.json()["error"]["param"] == "model"
    yandex = gateway.call("POST", YANDEX, YANDEX_BODY, authorization=authorization)
    assert (yandex.status, yandex.json()["code"]) == (403, 7)
    for body in (BODY, BODY | {"validate_only": True}):
        problem = gateway.call("POST", OPERATIONS, body, authorization=authorization)
        assert (problem.status, problem.json()["code"]) == (403, "model_not_allowed")
        assert problem.json()["remedy"] == "Use one of: other."
    assert gateway.call("GET", "/v1/models/flux", authorization=authorization).status == 403
    listed = gateway.call("GET", "/v1/models", authorization=authorization).json()["data"]
    assert [card["id"] for card in listed] == ["other"]
    assert not gateway.store.documents


def test_what_a_key_may_no_longer_start_it_may_not_retry(gateway: Gateway) -> None:
    key, text = gateway.key()
    authorization = f"Bearer {text}"
    operation = gateway.call("POST", OPERATIONS, BODY, authorization=authorization).json()
    gateway.call("POST", operation["urls"]["cancel"], authorization=authorization)
    gateway.keys.put(replace(key, models=("other",), version=2))
    gateway.clock.sleep(60)
    assert gateway.call("POST", f"{operation['urls']['self']}:retry", authorization=authorization).status == 403
    assert gateway.call("GET", operation["urls"]["self"], authorization=authorization).status == 200


def test_a_rotated_or_shared_key_sees_the_same_operations(gateway: Gateway) -> None:
    key, text = gateway.key()
    operation = gateway.call("POST", OPERATIONS, BODY, authorization=f"Bearer {text}").json()
    rotated, new = key.rotated(gateway.clock.now(), 60)
    gateway.keys.put(rotated)
    gateway.clock.sleep(60)
    shared = gateway.key(owner=key.owner)[1]
    for presented, status in ((new, 200), (shared, 200), (text, 401)):
        assert gateway.call("GET", operation["urls"]["self"], x_api_key=presented).status == status


def test_in_an_open_deployment_everything_is_everybodys() -> None:
    gateway = Gateway(access="open")
    text = gateway.key()[1]
    made = gateway.call("POST", OPERATIONS, BODY, authorization=f"Bearer {text}").json()
    stored = gateway.store.get(made["id"])
    assert stored
    assert stored.owner == "everybody"
    for authorization in ("", "Bearer x", f"Bearer {text}"):
        assert gateway.call("GET", made["urls"]["self"], authorization=authorization).status == 200
    assert gateway.keys.reads == 0


def test_a_table_that_does_not_answer_lets_nobody_in(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    text = gateway.key()[1]
    gateway.keys.get = lambda _: (_ for _ in ()).throw(RuntimeError("no table"))  # type: ignore[method-assign]
    answer = gateway.call("GET", OPERATIONS, authorization=f"Bearer {text}")
    assert (answer.status, answer.json()["code"]) == (500, "internal")
    assert text not in caplog.text
