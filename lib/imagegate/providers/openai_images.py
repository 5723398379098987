"""Any server that speaks OpenAI's Images API: OpenAI, Yandex AI Studio, Together, LocalAI, vLLM-Omni, g4f and more.

Contract: docs/protocols/openai-images.md, docs/protocols/providers.md#openai, docs/protocols/providers.md#together,
docs/protocols/yandexart.md#ai-studio. The submission is held until the pictures are there, and answers with them; some
servers answer with a task (docs/protocols/openai-compatible.md#tasks). What differs is in the provider's
`OpenAICompatConfig`.
"""

import base64
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Check, Submission, Ticket
from imagegate.domain.request.request import ImageRequest
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import authorization, fill_in, fill_in_base_url
from imagegate.providers.openai_compat import BODY_SECONDS, OpenAICompatConfig
from imagegate.providers.openai_documents import take_partials
from imagegate.providers.openai_responses import parse_answer
from imagegate.providers.openai_tasks import parse_accepted, parse_task, task_url
from imagegate.providers.sizes import shape_of

GPT_IMAGE = re.compile(r"(gpt|chatgpt)-image")
"""Start of the ids that refuse `response_format` and answer base64 (docs/protocols/openai-images.md#generations)."""

GPT_QUALITIES = {"standard": "auto", "hd": "high"}
"""DALL-E's values, which clients still send, to gpt-image's."""

NOT_IN_FORMS = frozenset({"moderation", "style"})
"""Fields of generations that edits refuse (docs/protocols/openai-images.md#edits)."""

SHAPE = ("size", "width", "height", "aspect_ratio")
"""Fields that say how large the picture is to be."""

PIXELS_PER_ANSWER = 8 * 1024 * 1024
"""Pixels requested at once: as PNG in base64, three bytes each, they stay below what `Http` reads."""


class OpenAIImages:
    """One OpenAI-compatible server."""

    config_type = OpenAICompatConfig

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets, config: OpenAICompatConfig) -> None:
        self.name = name
        self.base_url = base_url
        self.limits = config.limits
        self._http = http
        self._secrets = secrets
        self._config = config
        self._refused: frozenset[str] = frozenset()
        """Fields that the server has refused, though only the gateway had chosen to send them."""

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        """Ask for the pictures, which are the answer; fewer than `count` when they would not fit in one.

        A ticket for a server that answers with a task.
        """
        fields = build_fields(self._config, self._model(upstream_request.model), upstream_request)
        path = path_for(self.name, self._config, upstream_request)
        unasked = unasked_fields(fields, self._config, upstream_request.request)
        response = self._send(path, without(fields, unasked & self._refused), upstream_request)
        # The caller did not ask for these fields, so their refusal is not the caller's.
        while refused := refused_fields(response, unasked - self._refused):
            self._refused |= refused
            response = self._send(path, without(fields, unasked & self._refused), upstream_request)
        seed = upstream_request.request.seed if "seed" in self.limits.capabilities else None
        base_url = fill_in_base_url(self.name, self._secrets, self.base_url)
        if ticket := parse_accepted(base_url, response, self._config.tasks, seed):
            return ticket
        return parse_answer(self.name, self.base_url, response, seed, empty_is_refusal=self._config.empty_is_refusal)

    def _send(self, path: str, fields: Mapping[str, Any], upstream_request: UpstreamRequest) -> HttpResponse:
        headers = self._headers(upstream_request)
        return self._http.send(build_request(self._url(path), headers, fields, upstream_request, self._config))

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Ask once for the task."""
        url = task_url(fill_in_base_url(self.name, self._secrets, self.base_url), ticket)
        response = self._http.send(HttpRequest(method="GET", url=url, headers=self._usual_headers(), idempotent=True))
        return parse_task(self.name, self.base_url, response, ticket)

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: no such server documents how to stop a task."""

    def _url(self, path: str) -> str:
        base_url = fill_in_base_url(self.name, self._secrets, self.base_url)
        query = f"?{urlencode(self._config.query)}" if self._config.query else ""
        return f"{base_url}{path}{query}"

    def _headers(self, upstream_request: UpstreamRequest) -> dict[str, str]:
        # OpenAI promises nothing for it, but proxies in between do heed it.
        key = {"idempotency-key": upstream_request.idempotency_key} if upstream_request.idempotency_key else {}
        private = dict(self._config.private_headers) if upstream_request.request.private else {}
        return self._usual_headers() | key | private

    def _usual_headers(self) -> dict[str, str]:
        headers = {name: fill_in(self.name, self._secrets, value) for name, value in self._config.headers.items()}
        return authorization(self.name, self._secrets, self._config.keys) | headers

    def _model(self, model: str) -> str:
        if "://" in model:
            return model
        return fill_in(self.name, self._secrets, self._config.model).replace("{model}", model)


def unasked_fields(fields: Mapping[str, Any], config: OpenAICompatConfig, request: ImageRequest) -> frozenset[str]:
    """The fields that are sent without the caller having asked for them, and that a server may do without."""
    shape = () if request.size or request.ratio else SHAPE
    return frozenset({"response_format", *config.fields, *shape}).intersection(fields)


def refused_fields(response: HttpResponse, unasked: Collection[str]) -> frozenset[str]:
    """Those of the fields that a refusal of the request names."""
    if response.status not in (400, 422):
        return frozenset()
    return frozenset(name for name in unasked if re.search(rf"\b{re.escape(name)}\b".encode(), response.body))


def without(fields: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The other fields."""
    return {name: value for name, value in fields.items() if name not in names}


def path_for(name: str, config: OpenAICompatConfig, upstream_request: UpstreamRequest) -> str:
    """Below the base URL. Raises UpstreamError(not_found) for one that this server lacks: another provider is asked."""
    if not upstream_request.inputs:
        return "/images/generations"
    prompted = bool(upstream_request.request.prompt.strip())
    path = "/images/edits" if prompted else "/images/variations"
    if not config.limits.works_from(len(upstream_request.inputs), prompted=prompted):
        message = f"{name} has no {path} for {len(upstream_request.inputs)} pictures."
        raise UpstreamError(Failure(FailureCode.NOT_FOUND, message))
    return path


def build_fields(config: OpenAICompatConfig, model: str, upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The fields of the body; nothing is sent that the server does not take."""
    fields = {
        "model": model,
        "prompt": upstream_request.request.prompt,
        **_count(config, upstream_request),
        **_size(config, upstream_request.request),
        **config.fields,
    }
    fields |= config.options(upstream_request.request)
    if "partial_images" in fields:
        fields["stream"] = True
    if fields.get("output_format") not in ("jpeg", "webp"):
        fields.pop("output_compression", None)  # PNG has none, and OpenAI refuses it there.
    if GPT_IMAGE.match(model):
        return _with_gpt_quality(fields)
    return fields | ({"response_format": config.response_format} if config.response_format else {})


def _with_gpt_quality(fields: dict[str, Any]) -> dict[str, Any]:
    quality = fields.get("quality")
    return fields | {"quality": GPT_QUALITIES.get(quality, quality)} if quality else fields


def build_request(
    url: str,
    headers: Mapping[str, str],
    fields: Mapping[str, Any],
    upstream_request: UpstreamRequest,
    config: OpenAICompatConfig,
) -> HttpRequest:
    """JSON for a prompt alone, a form for input pictures (docs/protocols/openai-images.md#edits)."""
    request = HttpRequest(method="POST", url=url, headers=headers, timeout=config.timeout)
    if "stream" in fields and upstream_request.on_partial:
        taken = take_partials(upstream_request.on_partial)
        request = replace(request, on_event=taken, total_timeout=config.timeout + BODY_SECONDS)
    if not upstream_request.inputs:
        return replace(request, json=fields)
    if config.edits == "json":
        return replace(request, json={**fields, **_references(upstream_request)})
    form = {name: _form_text(value) for name, value in fields.items() if value != "" and name not in NOT_IN_FORMS}
    return replace(request, form=form, files=_files(upstream_request))


def _form_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _references(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The pictures as data URLs (docs/protocols/openai-compatible.md#xai)."""
    inputs = [(each.content_type, base64.b64encode(each.body).decode()) for each in upstream_request.inputs]
    references = [{"url": f"data:{content_type};base64,{data}", "type": "image_url"} for content_type, data in inputs]
    return {"image": references[0]} if len(references) == 1 else {"images": references}


def _files(upstream_request: UpstreamRequest) -> list[tuple[str, InputBody]]:
    # Servers that take one picture know only `image`; OpenAI takes several as `image[]`.
    name = "image" if len(upstream_request.inputs) == 1 else "image[]"
    mask = [("mask", upstream_request.mask)] if upstream_request.mask else []
    return [*((name, image) for image in upstream_request.inputs), *mask]


def _count(config: OpenAICompatConfig, upstream_request: UpstreamRequest) -> dict[str, int]:
    if upstream_request.request.seed is not None and "seed" in config.takes:
        return {}  # One seed is one picture: servers differ in what n pictures of one seed are.
    size = config.limits.size_for(upstream_request.request)
    most = max(1, PIXELS_PER_ANSWER // (size.width * size.height))
    count = min(upstream_request.count, config.images_per_call, most)
    return {"n": count} if count > 1 else {}


def _size(config: OpenAICompatConfig, request: ImageRequest) -> dict[str, Any]:
    if config.auto_size and not (request.size or request.ratio):
        return {}
    if config.size == "ratio":
        return {"size": "x".join(map(str, shape_of(request, config.grid)))}
    if config.size in ("shape", "aspect_ratio"):
        return {"size" if config.size == "shape" else "aspect_ratio": config.shape_table.name_for(request)}
    size = config.limits.size_for(request)
    return {"width": size.width, "height": size.height} if config.size == "sides" else {"size": str(size)}
