"""Where OpenAI-compatible servers put pictures, states and task ids in what they answer. Pure.

Contract: docs/protocols/openai-compatible.md#answers.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.parsing import decoded, json_of

Object = Mapping[str, Any]

_LISTS = ("data", "images", "image_urls", "urls", "results", "output_images", "output", "result")
"""Keys of lists of pictures."""
_INNER = ("data", "result", "output", "task_result", "response", "task")
"""Keys of objects that the pictures, the state or the id may be in."""
_PICTURE = ("b64_json", "base64", "url", "image_url")
_DEPTH = 3
_ADDRESS = re.compile(r"https?://|/|data:")
_STATES = ("status", "task_status", "state")
_MOST_PARTIALS = 100
"""Above the number of any partial picture."""
_END_OF_LINE = re.compile(r"\r\n|\n|\r")


def document_of(response: HttpResponse) -> Any:
    """The JSON of an answer; of a stream of events, the pictures and the usage in them, or its error."""
    if "text/event-stream" in response.headers.get("content-type", "") or response.body[:6] in (b"data: ", b"event:"):
        return _document_of_events(response.body.decode("utf-8", "replace"))
    return json_of(response.body)


def picture_entries(document: Any) -> list[Object]:
    """The pictures' objects, wherever a server has them; a text alone is an address or base64."""
    objects = list(objects_in(document))
    for lists in ([entry.get(key) for key in _LISTS] for entry in objects):
        for found in lists:
            if isinstance(found, list) and (entries := [*_entries(found)]):
                return entries
    return [entry for entry in objects if any(isinstance(entry.get(key), str) for key in _PICTURE)][:1]


def state_in(document: Any) -> str:
    """The state of a task in lower case; empty where none is named."""
    states = (entry.get(key) for entry in objects_in(document) for key in _STATES)
    return next((word.casefold() for word in states if isinstance(word, str) and word), "")


def texts_in(document: Any, *keys: str) -> list[str]:
    """What stands under the keys, the outermost first."""
    found = (entry.get(key) for key in keys for entry in objects_in(document))
    return [text for text in found if isinstance(text, str) and text]


def objects_in(document: Any, depth: int = _DEPTH) -> Iterator[Object]:
    """The object and those inside it, the outermost first; of a list, its first element."""
    if isinstance(document, list) and document:
        document = document[0]
    if isinstance(document, Mapping) and depth:
        yield document
        for key in _INNER:
            yield from objects_in(document.get(key), depth - 1)


def _entries(found: list[Any]) -> Iterator[Object]:
    for entry in found:
        if isinstance(entry, str):
            yield {"url" if _ADDRESS.match(entry) else "b64_json": entry}
        elif isinstance(entry, Mapping):
            urls = entry.get("url")
            yield from ({**entry, "url": url} for url in urls) if isinstance(urls, list) else (entry,)


def take_partials(on_partial: Callable[[int, bytes], None]) -> Callable[[bytes], bool]:
    """What takes the events of a stream: it tells the partial pictures, and returns True for every other event."""

    def take(event: bytes) -> bool:
        documents = [json_of(data) for data in _data_of_events(event.decode("utf-8", "replace"))]
        partials = [each for each in documents if isinstance(each, Mapping) and _is_partial(each)]
        for partial in partials:
            index, body = partial.get("partial_image_index"), decoded(partial.get("b64_json"))
            if body:
                on_partial(index if type(index) is int and 0 <= index < _MOST_PARTIALS else 0, body)
        return not partials

    return take


def _is_partial(event: Object) -> bool:
    return str(event.get("type")).endswith("partial_image")


def _document_of_events(text: str) -> Object:
    pictures, usage = list[Object](), None
    for data in _data_of_events(text):
        event = json_of(data)
        if not isinstance(event, Mapping) or _is_partial(event):
            continue
        if event.get("error"):
            return event
        if event.get("type") == "error":  # as in streams of responses, without an object around it
            return {"error": event}
        pictures += picture_entries(event)
        usage = event.get("usage") or usage
    return {"data": pictures, "usage": usage}


def _data_of_events(text: str) -> Iterator[str]:
    """The data of each event of a text/event-stream (https://html.spec.whatwg.org/#parsing-an-event-stream)."""
    lines = list[str]()
    for line in (*_END_OF_LINE.split(text), ""):
        if line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif not line and lines:
            yield "\n".join(lines)
            lines = []
