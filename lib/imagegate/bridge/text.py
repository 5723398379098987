"""A text model over HTTP, for programs that have one write the prompt.

Two protocols (docs/protocols/yandexart.md#text-models): OpenAI's chat completions, and YandexGPT's own completion.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from yandex.cloud.ai.foundation_models.v1.text_generation.text_generation_service_pb2 import CompletionResponse

from imagegate.bridge.failures import INTERNAL, UNIMPLEMENTED, failed, refused

Completed = tuple[CompletionResponse, Mapping[str, str]]
_YANDEXGPT = "/foundationModels/v1/completion"
_UNDERSTOOD = {"modelUri", "completionOptions", "messages"}
_ENDINGS = {
    "stop": "ALTERNATIVE_STATUS_FINAL",
    "length": "ALTERNATIVE_STATUS_TRUNCATED_FINAL",
    "content_filter": "ALTERNATIVE_STATUS_CONTENT_FILTER",
}


class TextModel(Protocol):
    """Answers a CompletionRequest. Raises CallFailed."""

    async def complete(self, request: Any) -> Completed: ...


class NoTextModel:
    """Says how to get one."""

    async def complete(self, request: Any) -> Completed:
        """Never answers."""
        raise failed(UNIMPLEMENTED, "No text model is behind this bridge; start it with --text-url.")


class YandexGPTTextModel:
    """YandexGPT's completion over REST: the same messages, as JSON."""

    def __init__(self, http: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> None:
        self._http, self._url, self._headers = http, url, headers

    async def complete(self, request: Any) -> Completed:
        """Pass the request on as it is, but in one piece."""
        document = MessageToDict(request)
        document["completionOptions"] = {**document.get("completionOptions", {}), "stream": False}
        answer = await self._http.post(self._url, json=document, headers=self._headers)
        return _completed(answer, lambda document: document.get("result", document))


class ChatTextModel:
    """An OpenAI-compatible server."""

    def __init__(self, http: httpx.AsyncClient, url: str, headers: Mapping[str, str], model: str | None) -> None:
        self._http, self._url, self._headers, self._model = http, f"{url.rstrip('/')}/chat/completions", headers, model

    async def complete(self, request: Any) -> Completed:
        """Ask for the same in OpenAI's words; what they cannot say is refused."""
        document = MessageToDict(request)
        if unknown := document.keys() - _UNDERSTOOD:
            raise failed(UNIMPLEMENTED, f"This bridge passes on plain messages only, not {', '.join(sorted(unknown))}.")
        headers = {**self._headers, **self._project(document)}
        return _completed(await self._http.post(self._url, json=self._body(document), headers=headers), _as_yandexgpt)

    def _body(self, document: dict[str, Any]) -> dict[str, Any]:
        options = document.get("completionOptions", {})
        body = {
            "model": self._model or document["modelUri"],
            "messages": [
                {"role": entry["role"], "content": entry.get("text", "")} for entry in document.get("messages", ())
            ],
            "temperature": options.get("temperature"),
            "max_tokens": int(options["maxTokens"]) if "maxTokens" in options else None,
        }
        return {key: value for key, value in body.items() if value is not None}

    def _project(self, document: dict[str, Any]) -> dict[str, str]:
        """Who understands `gpt://<folder>/…` wants the folder here too."""
        return {} if self._model else {"OpenAI-Project": urlsplit(document["modelUri"]).netloc}


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where to find a text model."""

    url: str
    model: str | None = None
    """What to ask for there; None: what the caller names."""
    authorization: str | None = field(default=None, repr=False)
    """The header, with its scheme."""


def text_model(http: httpx.AsyncClient, source: TextSource | None) -> TextModel:
    """The model of `source`: YandexGPT if the URL's path says so, else an OpenAI-compatible one."""
    if source is None:
        return NoTextModel()
    headers = {"Authorization": source.authorization} if source.authorization else {}
    if urlsplit(source.url).path.endswith(_YANDEXGPT):
        return YandexGPTTextModel(http, source.url, headers)
    return ChatTextModel(http, source.url, headers, source.model)


def _as_yandexgpt(chat: dict[str, Any]) -> dict[str, Any]:
    usage = chat.get("usage") or {}
    return {
        "alternatives": [
            {
                "message": {"role": choice["message"]["role"], "text": choice["message"].get("content") or ""},
                "status": _ENDINGS.get(choice.get("finish_reason"), "ALTERNATIVE_STATUS_UNSPECIFIED"),
            }
            for choice in chat["choices"]
        ],
        "usage": {
            "inputTextTokens": usage.get("prompt_tokens"),
            "completionTokens": usage.get("completion_tokens"),
            "totalTokens": usage.get("total_tokens"),
        },
        "modelVersion": chat.get("model"),
    }


def _completed(answer: httpx.Response, shape: Callable[[dict[str, Any]], dict[str, Any]]) -> Completed:
    """What `shape` makes of the answer's JSON."""
    if not answer.is_success:
        raise refused(answer.status_code, answer.content, answer.headers)
    try:
        return ParseDict(shape(answer.json()), CompletionResponse(), ignore_unknown_fields=True), answer.headers
    except (ParseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise failed(INTERNAL, f"{answer.request.url} answered no completion ({type(error).__name__}).") from error
