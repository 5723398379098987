"""Requests of OpenAI's Images API, with g4f's additions.

Every optional field accepts null and an empty text. A field that has no effect is reported as not honoured. A model
named as in Yandex's own Images API gets that API's semantics: `size` is an aspect ratio, and the answer holds bytes
(docs/protocols/yandexart.md#ai-studio).
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from imagegate.dialects.openai.bodies import EditsBody, GenerationsBody, VariationsBody
from imagegate.dialects.openai.dialect import NAME
from imagegate.dialects.openai.fields import Fields, read_fields
from imagegate.dialects.parsing import check_combinations, model_of_uri, parse_document
from imagegate.dialects.shapes import Ratio, Resolution
from imagegate.dialects.validation_errors import first_error
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.coalescing import digest
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.names import canonical_name
from imagegate.domain.request.request import ImageRequest, InputImage, Message
from imagegate.usecases.start import GenerationRequest

__all__ = ["EditsBody", "GenerationsBody", "VariationsBody", "build_generation_request", "parse"]

DEFAULT_MODEL = "flux"
_ALWAYS_BASE64 = re.compile(r"(chat)?gpt.?image")
_ALWAYS_PNG = re.compile(r"(chat)?gpt.?image|dall.?e")
"""OpenAI's own models make PNG unless told otherwise, and their clients save what comes as .png."""

_FIELDS = {"n": "n", "seed": "seed", "steps": "num_inference_steps", "guidance": "guidance_scale"} | {
    "prompt": "prompt", "negative_prompt": "negative_prompt", "model": "model"
}  # fmt: skip
"""Fields for which a request can be refused once it is parsed: the domain's name, and this dialect's."""


def parse(body: bytes, provider: str | None = None) -> GenerationRequest:
    """Parse a request; `provider` comes from g4f's path.

    Raises InvalidRequest with the offending field in `param`.
    """
    return build_generation_request(GenerationsBody, parse_document(body), provider=provider)


def build_generation_request(
    kind: type[GenerationsBody],
    document: Mapping[str, Any],
    *,
    default: str = DEFAULT_MODEL,
    provider: str | None = None,
    deployment: str | None = None,
    unsaid_format: str = "url",
    inputs: tuple[InputImage, ...] = (),
    mask: InputImage | None = None,
) -> GenerationRequest:
    """Build the GenerationRequest of a document with the fields of `kind`; `default` is the model if it names none.

    `provider` and `deployment` come from the path. As at Azure, the deployment is the model, whatever the body says.
    `unsaid_format`: the format of the answer if the request has no `response_format`; `both` is URL and bytes.
    Raises InvalidRequest with the offending field in `param`.
    """
    fields = read_fields(document, kind.model_fields)
    parsed = _validated(kind, fields)
    named = deployment or parsed.model or default
    of_yandex = model_of_uri(named, "model")
    model = of_yandex or named
    name = canonical_name(model)
    size, ratio, unused = _shape(parsed, bool(of_yandex))
    if deployment and parsed.model and canonical_name(parsed.model) != name:
        unused.append("model")
    request = ImageRequest(
        model=model,
        messages=(Message(parsed.prompt),) if parsed.prompt else (),
        n=parsed.n or 1,
        size=size,
        ratio=ratio,
        seed=None if parsed.seed == -1 else parsed.seed,
        steps=parsed.num_inference_steps,
        guidance=parsed.guidance_scale,
        negative_prompt=parsed.negative_prompt or None,
        output_format=parsed.output_format or ("png" if _ALWAYS_PNG.match(name) else None),
        output_compression=parsed.output_compression,
        quality=parsed.quality,
        style=parsed.style,
        background=parsed.background,
        moderation=parsed.moderation,
        complexity=parsed.complexity,
        input_fidelity=getattr(parsed, "input_fidelity", None),
        frame_count=parsed.frame_count,
        frame_duration_ms=parsed.frame_duration_ms,
        svg=parsed.svg,
        prompt_rewriter=parsed.prompt_rewriter,
        partial_images=parsed.partial_images or None,
        inputs=inputs,
        mask=mask,
        provider=parsed.provider or provider,
        expand=bool(parsed.expand),
        unused_fields=(*fields.unused, *unused),
    )
    check_combinations(request)
    names = {"inputs": [image.name for image in inputs], "mask": mask.name if mask else None}
    # An answer is rendered as its operation says, so clients with other defaults do not share one.
    path = {"provider": request.provider, "deployment": deployment, "unsaid_format": unsaid_format}
    same = digest({**document, **names, **path})
    webhook = parsed.webhook.to_requested_webhook() if parsed.webhook else None
    by_default = "b64_json" if of_yandex or _ALWAYS_BASE64.match(name) else unsaid_format
    reply = _reply(parsed, by_default)
    return GenerationRequest(
        request=request,
        dialect=NAME,
        reply=reply,
        deadline=parsed.deadline,
        digest=same,
        coalesce=True,
        requested_webhook=webhook,
        sent_names={ours: fields.sent_names.get(field, field) for ours, field in _FIELDS.items()},
    )


def _validated(kind: type[GenerationsBody], fields: Fields) -> GenerationsBody:
    try:
        return kind.model_validate(fields.known)
    except ValidationError as error:
        raise first_error(error, fields.sent_names) from None


def _reply(parsed: GenerationsBody, by_default: str) -> dict[str, str]:
    """What the answer must look like. A stream holds bytes."""
    reply: dict[str, str] = {"response_format": parsed.response_format or by_default}
    if identifier := parsed.safety_identifier or parsed.user:
        reply["safety_identifier"] = identifier
    return {**reply, "response_format": "b64_json", "stream": "true"} if parsed.stream else reply


def _shape(parsed: GenerationsBody, of_yandex: bool) -> tuple[Size | None, Ratio | None, list[str]]:
    """The pixels or the ratio that the request asks for, and the fields that another one overrules."""
    pixels = _pixels(parsed)
    unused = ["size"] if pixels and isinstance(parsed.size, Size) and parsed.size != pixels else []
    wished = pixels or parsed.size
    if isinstance(wished, Resolution):
        wished = wished.of_ratio(parsed.aspect_ratio or (1, 1))
    if isinstance(wished, Size) and not of_yandex:
        return wished, parsed.aspect_ratio, unused
    ratio = (wished.width, wished.height) if isinstance(wished, Size) else wished
    overruled = ratio is not None and parsed.aspect_ratio not in (None, ratio)
    return None, ratio or parsed.aspect_ratio, [*unused, *(["aspect_ratio"] if overruled else [])]


def _pixels(parsed: GenerationsBody) -> Size | None:
    """Width and height, one of which a ratio may say. Raises InvalidRequest for one alone."""
    width, height = parsed.width, parsed.height
    if width and height:
        return Size(width, height)
    if not (width or height):
        return None
    ratio = parsed.aspect_ratio or (parsed.size if isinstance(parsed.size, tuple) else None)
    if ratio is None:
        missing = "height" if width else "width"
        raise InvalidRequest(
            "width and height go together.", param=missing, remedy=f"Send '{missing}' or 'aspect_ratio' too."
        )
    across, down = ratio
    return Size(width or round((height or 0) * across / down) or 1, height or round((width or 0) * down / across) or 1)
