"""Language models that expand prompts: any OpenAI-compatible chat endpoint, and YandexGPT's own completion.

Contract: docs/protocols/yandexart.md#text-models. Requests and answers are made and read by pure functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.request.expansion import build_instruction, whole_sentences
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import authorization
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.http_errors import bad_payload, http_error
from imagegate.providers.parsing import object_of
from imagegate.providers.registry import EXPANDER

NAME = EXPANDER

_UNLOGGED = {"x-data-logging-enabled": "false"}
"""Yandex's header; no other service is known to have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a language model is, and how it is called."""

    protocol: str
    """A key of CHAT_PROTOCOLS."""
    url: str
    """Base URL; empty for the protocol's own service."""
    model: str
    secret: str
    """Name of the secret that holds its key; empty for one without keys."""


class ChatProtocol(Protocol):
    """How one protocol asks, and what it answers."""

    url: str
    path: str

    def headers(self, endpoint: Endpoint, secrets: Secrets) -> dict[str, str]:
        """The credential, and who pays. Raises UpstreamError(auth) when no key is set."""

    def body(self, model: str, prompt: str, characters: int) -> dict[str, Any]:
        """The request."""

    def text(self, document: Mapping[str, Any]) -> str:
        """The text of a successful answer. Raises UpstreamError(content_filtered) when there is none on purpose."""


class ChatCompletions:
    """`POST /chat/completions`, as OpenAI and compatible servers have it."""

    url = "https://api.openai.com/v1"
    path = "/chat/completions"

    def headers(self, endpoint: Endpoint, secrets: Secrets) -> dict[str, str]:
        """Yandex reads the folder that pays from the header that names OpenAI's project."""
        folder = _folder(endpoint.model)
        project = {"openai-project": folder} if folder else {}
        return authorization(NAME, secrets, _keys(endpoint, "Bearer")) | project

    def body(self, model: str, prompt: str, characters: int) -> dict[str, Any]:
        """Only what every server takes: newer models of OpenAI refuse both `max_tokens` and `temperature`."""
        turns = [("system", build_instruction(characters)), ("user", prompt)]
        return {"model": model, "messages": [{"role": role, "content": text} for role, text in turns]}

    def text(self, document: Mapping[str, Any]) -> str:
        """The first choice; one that ran out of tokens without the sentence that was broken off."""
        choice = _first(document.get("choices"))
        message = choice.get("message")
        message = message if isinstance(message, Mapping) else {}
        if choice.get("finish_reason") == "content_filter" or message.get("refusal"):
            raise _filtered()
        text = _joined(message.get("content"))
        return whole_sentences(text) if choice.get("finish_reason") == "length" else text


class YandexGPT:
    """`POST /foundationModels/v1/completion`."""

    url = "https://llm.api.cloud.yandex.net"
    path = "/foundationModels/v1/completion"

    def headers(self, endpoint: Endpoint, secrets: Secrets) -> dict[str, str]:
        """IAM tokens are recognised by their prefix, as in Yandex's own SDK (docs/protocols/yandexart.md#sdk)."""
        folder = _folder(endpoint.model)
        payer = {"x-folder-id": folder} if folder else {}
        credentials = authorization(NAME, secrets, _keys(endpoint, "Api-Key"))
        if credentials.get("authorization", "").startswith("Api-Key t1."):
            credentials["authorization"] = credentials["authorization"].replace("Api-Key", "Bearer", 1)
        return credentials | payer

    def body(self, model: str, prompt: str, characters: int) -> dict[str, Any]:
        """64-bit numbers go as strings; a token is a character at the least."""
        turns = [("system", build_instruction(characters)), ("user", prompt)]
        return {
            "modelUri": model,
            "completionOptions": {"stream": False, "temperature": 0.3, "maxTokens": str(characters)},
            "messages": [{"role": role, "text": text} for role, text in turns],
        }

    def text(self, document: Mapping[str, Any]) -> str:
        """The first alternative, in `result` where the answer comes through the service's gateway."""
        result = document.get("result", document)
        alternative = _first(result.get("alternatives") if isinstance(result, Mapping) else None)
        if alternative.get("status") == "ALTERNATIVE_STATUS_CONTENT_FILTER":
            raise _filtered()
        message = alternative.get("message")
        text = _joined(message.get("text") if isinstance(message, Mapping) else None)
        return whole_sentences(text) if alternative.get("status") == "ALTERNATIVE_STATUS_TRUNCATED_FINAL" else text


CHAT_PROTOCOLS: Mapping[str, ChatProtocol] = {"openai": ChatCompletions(), "yandexgpt": YandexGPT()}


class ChatExpander:
    """The Expander port over HTTP."""

    def __init__(self, endpoint: Endpoint, http: Http, secrets: Secrets) -> None:
        self._endpoint = endpoint
        self._protocol = CHAT_PROTOCOLS[endpoint.protocol]
        self._http = http
        self._secrets = secrets

    def expand(self, prompt: str, characters: int, seconds: float, private: bool = False) -> str:
        """The model's answer. Raises UpstreamError."""
        protocol, endpoint = self._protocol, self._endpoint
        request = HttpRequest(
            method="POST",
            url=f"{(endpoint.url or protocol.url).rstrip('/')}{protocol.path}",
            headers=protocol.headers(endpoint, self._secrets)
            | (_UNLOGGED if private and _folder(endpoint.model) else {}),
            json=protocol.body(endpoint.model, prompt, characters),
            timeout=seconds,
            total_timeout=seconds,
            idempotent=True,
        )
        return parse_answer(protocol, self._http.send(request))


def parse_answer(protocol: ChatProtocol, response: HttpResponse) -> str:
    """The text of an answer. Raises UpstreamError for a refusal, and when there is no text."""
    document = object_of(response.body)
    if response.status != 200:
        raise _refusal_error(response, document)
    text = protocol.text(document)
    if not text.strip():
        raise bad_payload(NAME, "without a text")
    return text


def _refusal_error(response: HttpResponse, document: Mapping[str, Any]) -> UpstreamError:
    """Both protocols put the reason into `error`, as an object or as text."""
    error = document.get("error") or document.get("detail") or document
    message = error.get("message") if isinstance(error, Mapping) else error
    text = str(message or response.body.decode("utf-8", "replace"))
    failure = http_error(NAME, response, text).failure
    filtered = isinstance(error, Mapping) and error.get("code") == "content_filter"
    code = FailureCode.CONTENT_FILTERED if filtered else code_from_text(text) if response.status == 400 else None
    return UpstreamError(replace(failure, code=code or failure.code))


def _filtered() -> UpstreamError:
    return UpstreamError(Failure(FailureCode.CONTENT_FILTERED, f"The {NAME} would not take this prompt."))


def _keys(endpoint: Endpoint, scheme: str) -> dict[str, str]:
    return {endpoint.secret: scheme} if endpoint.secret else {}


def _folder(model: str) -> str:
    """The folder in a model's URI as Yandex writes it, `gpt://<folder>/<model>`; empty for any other name."""
    return model.partition("://")[2].partition("/")[0]


def _first(listed: Any) -> Mapping[str, Any]:
    first = listed[0] if isinstance(listed, list) and listed else None
    return first if isinstance(first, Mapping) else {}


def _joined(content: Any) -> str:
    """Text, also where it comes in parts; empty for anything else."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""
