"""The events of a streamed response. Contract: docs/protocols/openai-responses.md#events.

They are made from the ended response: API Gateway's HTTP APIs cannot stream, so all are sent at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from imagegate.dialects.response import ApiResponse, to_event_stream

Event = dict[str, Any]
_CALL = "response.image_generation_call"
_BEFORE_PARTIALS = 5
"""Events of a response that is not in the background before its first partial picture."""
_UNTIL_IT_ENDS: Event = {"completed_at": None, "error": None, "output": [], "usage": None}
"""Fields of the response in the events before the last."""


def render_events(response: Mapping[str, Any], after: int = -1, partials: Sequence[Event] = ()) -> ApiResponse:
    """A text/event-stream of the events whose sequence number is above `after`.

    `partials`: what is told of the partial pictures of the first picture.
    """
    return _render(_events(response, partials), after)


def render_partial(response: Mapping[str, Any], call_id: str, partials: Sequence[Event]) -> ApiResponse:
    """The event of the last of `partials`; of the first one, the events that begin the response as well."""
    call = _begin_call({"id": call_id, "type": "image_generation_call"}, 0, partials)
    return _render([*_begin(response), *call], last_sent(len(partials) - 1))


def last_sent(partials: int) -> int:
    """The sequence number of the last event of a stream that has sent so many partial pictures, and nothing else."""
    return _BEFORE_PARTIALS + partials - 1 if partials else -1


def _render(events: Iterable[Event], after: int) -> ApiResponse:
    numbered = ({**event, "sequence_number": at} for at, event in enumerate(events) if at > after)
    return to_event_stream((event["type"], event) for event in numbered)


def _events(response: Mapping[str, Any], partials: Sequence[Event]) -> Iterator[Event]:
    yield from _begin(response)
    for index, item in enumerate(response["output"]):
        if item["type"] == "message":
            yield from _of_message(item, index)
        else:
            yield from _of_call(item, index, () if index else partials)
    kind = "completed" if response["status"] == "completed" else "failed"
    yield {"type": f"response.{kind}", "response": response}


def _begin(response: Mapping[str, Any]) -> Iterator[Event]:
    begun = {**response, **_UNTIL_IT_ENDS, "status": "in_progress"}
    begun.pop("tool_usage", None)
    queued = {**begun, "status": "queued"}
    yield {"type": "response.created", "response": queued if response["background"] else begun}
    if response["background"]:
        yield {"type": "response.queued", "response": queued}
    yield {"type": "response.in_progress", "response": begun}


def _of_call(item: Mapping[str, Any], index: int, partials: Sequence[Event]) -> Iterator[Event]:
    """Of a picture; of one that failed there is no event `completed`."""
    yield from _begin_call(item, index, partials)
    if item["status"] == "completed":
        yield {"type": f"{_CALL}.completed", "item_id": item["id"], "output_index": index}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _begin_call(item: Mapping[str, Any], index: int, partials: Sequence[Event]) -> Iterator[Event]:
    added = {"id": item["id"], "type": item["type"], "status": "in_progress", "result": None}
    place = {"item_id": item["id"], "output_index": index}
    yield {"type": "response.output_item.added", "output_index": index, "item": added}
    for step in ("in_progress", "generating"):
        yield {"type": f"{_CALL}.{step}", **place}
    for partial in partials:
        yield {"type": f"{_CALL}.partial_image", **place, **partial}


def _of_message(item: Mapping[str, Any], index: int) -> Iterator[Event]:
    [part] = item["content"]
    place = {"item_id": item["id"], "output_index": index, "content_index": 0}
    added = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": index, "item": added}
    yield {"type": "response.content_part.added", **place, "part": {**part, "text": ""}}
    yield {"type": "response.output_text.delta", **place, "delta": part["text"], "logprobs": []}
    yield {"type": "response.output_text.done", **place, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": part}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}
