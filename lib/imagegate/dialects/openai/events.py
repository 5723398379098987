"""The events of a stream of OpenAI's Images API. Contract: docs/protocols/openai-images.md#answers."""

from collections.abc import Sequence
from typing import Any

from imagegate.dialects.openai.parts import format_of, identifier_of, ignored_fields_of, revised_of
from imagegate.dialects.response import ApiResponse, RenderedPartial, RenderedPicture, to_event_stream
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.representation import usage

NO_USAGE = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}
"""Every event of a stream must have a usage, even when the upstream does not count tokens."""


def render_partials(operation: Operation, partials: Sequence[RenderedPartial]) -> ApiResponse:
    """The events of partial pictures while their operation runs."""
    return to_event_stream((event["type"], event) for event in partial_events(operation, partials))


def partial_events(operation: Operation, partials: Sequence[RenderedPartial]) -> list[dict[str, Any]]:
    return [
        {
            "type": f"{_event_family(operation)}.partial_image",
            "b64_json": rendered.b64,
            "partial_image_index": rendered.partial.index,
            "created_at": int(operation.started_at or operation.created_at),
            "size": f"{rendered.partial.width}x{rendered.partial.height}",
            "quality": "auto",
            "background": _background(operation),
            "output_format": format_of(rendered.partial),
            "operation_id": operation.id,
        }
        for rendered in partials
    ]


def _event_family(operation: Operation) -> str:
    return "image_edit" if operation.request.inputs else "image_generation"


def _background(operation: Operation) -> str:
    return "transparent" if operation.request.background == "transparent" else "opaque"


def completed_events(operation: Operation, rendered_pictures: Sequence[RenderedPicture]) -> list[dict[str, Any]]:
    """One event per picture. The last one has the tokens of all, so that a sum over the events is right."""
    events = [_event(operation, rendered) for rendered in rendered_pictures]
    return [*events[:-1], events[-1] | {"usage": usage(operation.usage) or NO_USAGE}]


def _event(operation: Operation, rendered: RenderedPicture) -> dict[str, Any]:
    picture = rendered.picture
    return {
        "type": f"{_event_family(operation)}.completed",
        "b64_json": rendered.b64,
        "created_at": int(operation.ended_at or operation.created_at),
        "size": f"{picture.width}x{picture.height}",
        "quality": "auto",
        "background": _background(operation),
        "output_format": format_of(picture),
        "usage": NO_USAGE,
        "model": operation.model,
        "provider": picture.provider,
        "operation_id": operation.id,
        "seed": picture.seed,
        **ignored_fields_of(operation),
        **identifier_of(operation),
        **revised_of(rendered),
    }
