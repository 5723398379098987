"""The language model that expands prompts, in both protocols: imagegate's adapter, and OpenAI's own client."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.request.expanded_prompt import extract_prompt, is_refusal
from imagegate.local.upstreams.app import BASE_PATHS, STAND_IN_SECRETS
from imagegate.local.upstreams.chat import EXPANDER_PARAMETERS
from imagegate.providers.expanders import NAME, ChatExpander, Endpoint
from support.fakes import NoSecrets

SECRET = EXPANDER_PARAMETERS["ExpanderSecretName"]
PATHS = {"openai": BASE_PATHS[NAME], "yandexgpt": BASE_PATHS[NAME].removesuffix("/v1")}
MODELS = {"openai": "stand-in", "yandexgpt": "gpt://b1gexample/yandexgpt/latest"}
Asked = Callable[..., str]


@pytest.fixture
def http() -> Iterator[HttpUpstream]:
    upstream = HttpUpstream()
    yield upstream
    upstream._client.close()


@pytest.fixture(params=["openai", "yandexgpt"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asked(stand_ins: str, http: HttpUpstream, client: object, protocol: str) -> Asked:
    def generation(
        prompt: str, characters: int = 500, seconds: float = 5.0, secret: str = SECRET, **secrets: str
    ) -> str:
        endpoint = Endpoint(protocol=protocol, url=stand_ins + PATHS[protocol], model=MODELS[protocol], secret=secret)
        return ChatExpander(endpoint, http, NoSecrets(STAND_IN_SECRETS | secrets)).expand(prompt, characters, seconds)

    return generation


def code_of(call: Callable[[], Any]) -> FailureCode:
    with pytest.raises(UpstreamError) as caught:
        call()
    return caught.value.failure.code


def test_a_prompt_comes_back_longer_and_always_the_same(asked: Asked) -> None:
    text = asked("a fox in snow")
    assert text.startswith("a fox in snow. ")
    assert 100 < len(text) <= 500
    assert asked("a fox in snow") == text


@pytest.mark.parametrize("characters", [60, 150])
def test_the_model_gets_the_length_it_may_write(asked: Asked, characters: int) -> None:
    assert len(asked("a fox in snow", characters)) <= characters


def test_directives_for_the_picture_stay_in_the_prompt_and_its_own_do_not(asked: Asked) -> None:
    text = asked("[delay 3s] [fault http-503 x1] [fault chatty at expand] a fox")
    assert extract_prompt(text).startswith("[delay 3s] [fault http-503 x1] a fox. ")
    assert "at expand" not in text


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("http-429", FailureCode.RATE_LIMITED),
        ("http-500", FailureCode.UPSTREAM_FAILED),
        ("http-503", FailureCode.CAPACITY),
        ("html", FailureCode.BAD_PAYLOAD),
        ("html-502", FailureCode.UPSTREAM_FAILED),
        ("drop", FailureCode.UPSTREAM_FAILED),
        ("refuse", FailureCode.CONTENT_FILTERED),
        ("no-text", FailureCode.BAD_PAYLOAD),
        ("nonsense", FailureCode.INVALID_REQUEST),
    ],
)
def test_faults(asked: Asked, fault: str, code: FailureCode) -> None:
    assert code_of(lambda: asked(f"[fault {fault} at expand] a fox")) is code


def test_a_busy_model_says_when_to_come_back(asked: Asked) -> None:
    with pytest.raises(UpstreamError) as caught:
        asked("[fault http-429-retry-after at expand] a fox")
    assert caught.value.failure.retry_after == 2


@pytest.mark.parametrize("switch", ["[fault hang at expand]", "[delay 10s at expand]"])
def test_a_model_that_takes_too_long_is_given_up(asked: Asked, switch: str) -> None:
    assert code_of(lambda: asked(f"{switch} a fox", seconds=0.3)) is FailureCode.UPSTREAM_TIMEOUT


def test_what_models_add_is_there_to_be_taken_away(asked: Asked) -> None:
    plain = asked("a fox")
    chatty = asked("[fault chatty at expand] a fox")
    assert len(chatty) > len(plain)
    assert extract_prompt(chatty) == plain
    assert is_refusal(asked("[fault excuse at expand] a fox"))
    assert len(asked("[fault wordy at expand] a fox")) > 500


def test_a_sentence_broken_off_is_dropped(asked: Asked) -> None:
    assert asked("[fault cut-short at expand] a fox").endswith(".")


def test_without_its_key_no_request_is_sent(asked: Asked, submissions: Callable[[], list[Any]]) -> None:
    with pytest.raises(UpstreamError, match="not available here"):
        asked("a fox", secret="OTHER")
    assert submissions() == []


def test_an_endpoint_without_keys_gets_none_and_may_want_one(asked: Asked) -> None:
    assert code_of(lambda: asked("a fox", secret="")) is FailureCode.AUTH


def test_openais_own_client_understands_the_stand_in(stand_ins: str, client: object) -> None:
    messages: list[Any] = [{"role": "user", "content": "a fox"}]
    with openai.OpenAI(base_url=stand_ins + PATHS["openai"], api_key="any", max_retries=0) as sdk:
        answer = sdk.chat.completions.create(model="m", messages=messages)
        assert answer.choices[0].finish_reason == "stop"
        assert (answer.choices[0].message.content or "").startswith("a fox. ")
        messages[0]["content"] = "[fault http-429 at expand] a fox"
        with pytest.raises(openai.RateLimitError):
            sdk.chat.completions.create(model="m", messages=messages)
        with pytest.raises(openai.BadRequestError, match="messages"):
            sdk.chat.completions.create(model="m", messages=[])


def test_yandexgpts_documented_request_and_answer(client: httpx.Client) -> None:
    body = {
        "modelUri": "gpt://b1gexample/yandexgpt/latest",
        "completionOptions": {"stream": False, "temperature": 0.3, "maxTokens": "500"},
        "messages": [{"role": "system", "text": "Expand"}, {"role": "user", "text": "a fox"}],
    }
    [alternative] = client.post("/expander/foundationModels/v1/completion", json=body).json()["result"]["alternatives"]
    assert alternative["status"] == "ALTERNATIVE_STATUS_FINAL"
    assert alternative["message"]["text"].startswith("a fox. ")
    refused = client.post("/expander/foundationModels/v1/completion", json=body | {"modelUri": "yandexgpt"})
    assert (refused.status_code, refused.json()["error"]["grpcCode"]) == (400, 3)
