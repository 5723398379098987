"""The events of a streamed response. Contract: docs/protocols/openai-responses.md#events.

They are made from the ended response: API Gateway's HTTP APIs cannot stream, so all are sent at once.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from imagegate.dialects.response import ApiResponse, to_event_stream

Event = dict[str, Any]
_UNTIL_IT_ENDS: Event = {"completed_at": None, "error": None, "output": [], "usage": None}
"""Fields of the response in the events before the last."""


def render_events(response: Mapping[str, Any], after: int = -1) -> ApiResponse:
    """A text/event-stream of the events whose sequence number is above `after`."""
    numbered = ({**event, "sequence_number": at} for at, event in enumerate(_events(response)) if at > after)
    return to_event_stream((event["type"], event) for event in numbered)


def _events(response: Mapping[str, Any]) -> Iterator[Event]:
    begun = {**response, **_UNTIL_IT_ENDS, "status": "in_progress"}
    begun.pop("tool_usage", None)
    queued = {**begun, "status": "queued"}
    yield {"type": "response.created", "response": queued if response["background"] else begun}
    if response["background"]:
        yield {"type": "response.queued", "response": queued}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response["output"]):
        yield from _of_message(item, index) if item["type"] == "message" else _of_call(item, index)
    kind = "completed" if response["status"] == "completed" else "failed"
    yield {"type": f"response.{kind}", "response": response}


def _of_call(item: Mapping[str, Any], index: int) -> Iterator[Event]:
    """Of a picture; of one that failed there is no event `completed`."""
    added = {"id": item["id"], "type": item["type"], "status": "in_progress", "result": None}
    place = {"item_id": item["id"], "output_index": index}
    yield {"type": "response.output_item.added", "output_index": index, "item": added}
    steps = ("in_progress", "generating", "completed")
    for step in steps if item["status"] == "completed" else steps[:2]:
        yield {"type": f"response.image_generation_call.{step}", **place}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


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
