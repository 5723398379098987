"""Parsing of what OpenAI-compatible servers answer: pictures, refusals, and what is neither. Pure.

Contract: docs/protocols/openai-images.md#answers, docs/protocols/yandexart.md#ai-studio.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.operation.usage import Usage
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.http_errors import bad_payload, http_error, strip_html
from imagegate.providers.openai_documents import document_of, objects_in, picture_entries, texts_in
from imagegate.providers.parsing import address_of, counts_of, decoded

_OF_CODE = {
    "moderationblocked": FailureCode.CONTENT_FILTERED,
    "contentpolicyviolation": FailureCode.CONTENT_FILTERED,
    "contentfilter": FailureCode.CONTENT_FILTERED,
    "contentfiltered": FailureCode.CONTENT_FILTERED,
    "responsibleaipolicyviolation": FailureCode.CONTENT_FILTERED,
    "imagegenerationusererror": FailureCode.CONTENT_FILTERED,
    "insufficientquota": FailureCode.NO_CREDIT,
    "insufficientuserquota": FailureCode.NO_CREDIT,
    "insufficientbalance": FailureCode.NO_CREDIT,
    "insufficientcredits": FailureCode.NO_CREDIT,
    "paymentrequired": FailureCode.NO_CREDIT,
    "billinghardlimitreached": FailureCode.NO_CREDIT,
    "modelnotfound": FailureCode.NOT_FOUND,
}
"""By an error's `code`, or else its `type`, without case and punctuation, in which servers differ.

These outrank the HTTP status: a billing limit comes as 400, 403, 429 or 500.
"""
_PUNCTUATION = re.compile(r"[^a-z0-9]")

_REASONS = ("message", "task_status_msg", "fail_reason", "failure_reason", "reason")
"""Where a task that failed says why, if it has no error object."""

_AMBIGUOUS_STATUSES = frozenset({400, 401, 402, 403, 412, 422})
"""Statuses whose text decides: Yandex refuses a prompt as it refuses a wrong parameter."""


LONGEST_REVISED_PROMPT = 2000
"""Characters of one that are stored: ten of them and the prompt have to fit into an item of the table and an event."""

TICKS_PER_MICRO_DOLLAR = 10_000


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error body's contents; a string is an `error` too for some servers."""

    message: str
    codes: tuple[str, ...] = ()
    """Its `code`, its `type` and Azure's inner code, as far as there are such."""


def parse_answer(
    name: str, base_url: str, response: HttpResponse, seed: int | None, *, empty_is_refusal: bool = False
) -> Ready:
    """The pictures of an answer; `seed` is the one that was sent. Raises UpstreamError for any other answer."""
    if response.status == 200 and response.headers.get("content-type", "").startswith("image/"):
        return Ready(bodies=(response.body,), seed=seed)
    document = document_of(response)
    error = _error_in(document)
    if response.status not in (200, 201) or error:
        raise _refusal_error(name, response, error or _flat_error_in(document))
    pictures = list(_pictures(document, base_url))
    if not pictures:
        raise _no_picture(name, response.status, document, empty_is_refusal)
    pictures.sort(key=lambda entry: isinstance(entry[0], Source))  # as Ready has them: bytes first
    sources = tuple(picture for picture, _ in pictures if isinstance(picture, Source))
    bodies = tuple(picture for picture, _ in pictures if isinstance(picture, bytes))
    revised_prompts = _revised_prompts(revised for _, revised in pictures)
    return Ready(
        sources=sources,
        bodies=bodies,
        seed=seed,
        revised_prompts=revised_prompts,
        usage=_usage(document),
        micro_dollars=_micro_dollars(document),
    )


def _no_picture(name: str, status: int, document: Any, empty_is_refusal: bool) -> UpstreamError:
    """A refusal inside a 200 (docs/protocols/openai-compatible.md#xai), or nonsense."""
    fields = document if isinstance(document, Mapping) else {}
    reason = fields.get("block_reason")
    moderated = any(not _respects_moderation(entry) for entry in picture_entries(document))
    if reason or moderated or (empty_is_refusal and fields.get("data") == []):
        text = f"{name} refused the content: {strip_html(str(reason or 'its moderation left no picture'))}"
        return UpstreamError(Failure(FailureCode.CONTENT_FILTERED, text))
    return bad_payload(name, f"HTTP {status} without a picture")


def _refusal_error(name: str, response: HttpResponse, error: ErrorBody | None) -> UpstreamError:
    text = error.message if error else response.body.decode("utf-8", "replace")
    failure = http_error(name, response, text).failure
    code = next(filter(None, map(_code_of, error.codes)), None) if error else None
    # A block of the whole account bears the code of a refused prompt too (docs/protocols/openai-compatible.md#azure).
    if response.status in _AMBIGUOUS_STATUSES and (code is None or response.status == 403):
        code = code_from_text(text) or code
    if code is None and response.status < 300:
        code = FailureCode.BAD_PAYLOAD
    return UpstreamError(replace(failure, code=code or failure.code))


def task_failure(name: str, document: Any, state: str) -> Failure:
    """Why a task failed, in the upstream's words."""
    error = next(filter(None, map(_error_in, objects_in(document))), None)
    text = error.message if error else next(iter(texts_in(document, *_REASONS)), f"The task is {state}.")
    code = next(filter(None, map(_code_of, error.codes)), None) if error else None
    return Failure(code or code_from_text(text) or FailureCode.UPSTREAM_FAILED, f"{name}: {strip_html(text)}")


def _code_of(word: str) -> FailureCode | None:
    return _OF_CODE.get(_PUNCTUATION.sub("", word.casefold()))


def _error_in(document: Any) -> ErrorBody | None:
    error = document.get("error") or document.get("detail") if isinstance(document, Mapping) else None
    if not error:
        return None
    if not isinstance(error, Mapping):
        return ErrorBody(str(error), (str(document.get("code")),))
    inner = error.get("inner_error") or error.get("innererror")
    codes = (error.get("code"), error.get("type"), inner.get("code") if isinstance(inner, Mapping) else None)
    return ErrorBody(str(error.get("message") or error.get("error") or error), tuple(map(str, codes)))


def _flat_error_in(document: Any) -> ErrorBody | None:
    """`code` and `message` at the top, as Recraft has them."""
    message = document.get("message") if isinstance(document, Mapping) else None
    return ErrorBody(str(message), (str(document.get("code")),)) if message else None


def _pictures(document: Any, base_url: str) -> Iterator[tuple[bytes | Source, str | None]]:
    """Every picture that moderation let through, and what was made of the prompt for it."""
    for entry in picture_entries(document):
        picture = _picture(entry, base_url) if _respects_moderation(entry) else None
        if picture:
            yield picture, _revised_prompt(entry)


def _respects_moderation(entry: Mapping[str, Any]) -> bool:
    return entry.get("respect_moderation") is not False


def _picture(datum: Mapping[str, Any], base_url: str) -> bytes | Source | None:
    """The bytes, or where they are; some servers write `data:` in either field, and paths without a host."""
    inline, url = datum.get("b64_json") or datum.get("base64"), datum.get("url") or datum.get("image_url")
    if isinstance(inline, str) and inline:
        return decoded(inline)
    if isinstance(url, str) and url.startswith("data:"):
        return decoded(url)
    address = address_of(url, f"{base_url}/")
    return Source(address) if address else None


def _revised_prompt(datum: Mapping[str, Any]) -> str | None:
    revised = datum.get("revised_prompt")
    if not isinstance(revised, str) or not revised:
        return None
    return revised if len(revised) <= LONGEST_REVISED_PROMPT else f"{revised[: LONGEST_REVISED_PROMPT - 1]}…"


def _revised_prompts(revised: Iterable[str | None]) -> tuple[str | None, ...]:
    every = tuple(revised)
    return every if any(every) else ()


def _usage(document: Mapping[str, Any]) -> Usage | None:
    """The tokens it took; `None` where the server does not count them, which some say with zeros."""
    usage = document.get("usage")
    taken, made, total = counts_of(usage, "input_tokens", "output_tokens", "total_tokens")
    if not (taken or made or total):
        return None
    details = usage.get("input_tokens_details") if isinstance(usage, Mapping) else None
    texts, images = counts_of(details, "text_tokens", "image_tokens")
    return Usage(
        input_tokens=taken,
        output_tokens=made,
        total_tokens=total,
        input_text_tokens=texts,
        input_image_tokens=images,
    )


def _micro_dollars(document: Mapping[str, Any]) -> int | None:
    """What xAI says it charges; it counts in ticks, 10 thousand of them to a millionth of a dollar."""
    [ticks] = counts_of(document.get("usage"), "cost_in_usd_ticks")
    return ticks // TICKS_PER_MICRO_DOLLAR or None
