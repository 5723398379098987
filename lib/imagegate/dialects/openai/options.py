"""The options of a picture in the bodies of OpenAI's other APIs, where they stand beside the conversation."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from imagegate.dialects.cleaning import without_empty
from imagegate.dialects.openai.bodies import EditsBody, GenerationsBody
from imagegate.dialects.openai.requests import build_generation_request
from imagegate.domain.errors import InvalidRequest
from imagegate.domain.operation.coalescing import digest
from imagegate.domain.request.request import InputImage
from imagegate.usecases.start import GenerationRequest

_FROM_THE_CONVERSATION = frozenset({"prompt", "response_format"})
"""Fields of the Images API that are no options here: the prompt, and a format that means another thing to a chat."""
_MOST_NAMES = 20
"""Of fields without effect that are reported: they are stored with every attempt."""


def option_names(body: type[BaseModel]) -> frozenset[str]:
    """The options that may stand beside a conversation: the Images API's fields that `body` does not have itself.

    OpenAI's packages put what is in their `extra_body` there.
    """
    return frozenset(EditsBody.model_fields) - frozenset(body.model_fields) - _FROM_THE_CONVERSATION


def options_beside(document: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The options of the picture beside the conversation, or in an `extra_body` that a client sent as it is."""
    nested = document.get("extra_body")
    inner = {**nested} if isinstance(nested, Mapping) else {}
    return without_empty({**{name: value for name, value in document.items() if name in names}, **inner}, ())


def build_from_options(
    options: Mapping[str, Any],
    document: Mapping[str, Any],
    inputs: tuple[InputImage, ...],
    mask: InputImage | None,
    ignored: Sequence[str],
    prompt_in: str,
) -> GenerationRequest:
    """The GenerationRequest of `options`, with the prompt and the model among them.

    `document`: the whole body, which a repetition has in common. `ignored`: fields of it without effect.
    `prompt_in`: the field that the prompt comes from. Raises InvalidRequest with the offending field in `param`.
    """
    kind = EditsBody if inputs else GenerationsBody
    try:
        generation = build_generation_request(kind, options, inputs=inputs, mask=mask)
    except InvalidRequest as error:
        if error.param == "prompt":
            error.call_param(prompt_in)
        raise
    unused = tuple(dict.fromkeys((*generation.request.unused_fields, *ignored)))[:_MOST_NAMES]
    names = {"inputs": [image.name for image in inputs], "mask": mask.name if mask else None}
    return replace(
        generation,
        request=replace(generation.request, unused_fields=unused),
        # The model may be in the path of the request, as Azure's clients have it, and not in the body.
        digest=digest({**document, **names, "picture_model": options["model"]}),
        sent_names={**generation.sent_names, "prompt": prompt_in, "image": prompt_in},
    )
