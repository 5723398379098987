"""Results of the tools: a text, previews and links for people and models, and the same facts as JSON for programs."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagegate.dialects.mcp.tools import PICTURE_URI, has_structure
from imagegate.dialects.operations.responses import render_document
from imagegate.dialects.response import ignored_fields
from imagegate.domain.errors import RequestError
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from imagegate.domain.operation.representation import picture_id, rfc3339
from imagegate.domain.timing.schedule import Outlook

LARGEST_PREVIEWS = 600_000
"""Characters of base64 in a result. Clients refuse one of a megabyte; further pictures are links only."""
_KEPT = ("model", "prompt", "created_at", "estimated_ready_at", "cost_usd", "error")
_FACTS = ("id", "width", "height", "bytes", "seed", "provider", "revised_prompt")


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureUrls:
    """Where pictures are."""

    base_url: str
    path: Any
    """The signed path of an operation's picture, by operation and slot."""

    def url(self, operation: Operation, slot: int) -> str:
        """What opens the picture without a key."""
        return f"{self.base_url}{self.path(operation, slot)}"


def picture_uri(operation: Operation, slot: int) -> str:
    """The picture as a resource."""
    return f"{PICTURE_URI}{picture_id(operation, slot)}"


def render_facts(operation: Operation, links: PictureUrls, outlook: Outlook | None) -> dict[str, Any]:
    """The operation as JSON, without bytes. `outlook`: while it runs."""
    document = render_document(operation, links.path, outlook)
    images = [
        {
            **{name: image[name] for name in _FACTS},
            "uri": picture_uri(operation, image["slot"]),
            "url": f"{links.base_url}{image['url']}",
            "mime_type": image["content_type"],
        }
        for image in document["images"]
    ]
    return {
        "operation_id": operation.id,
        "state": str(operation.state),
        "done": operation.done,
        "retry_after": outlook.retry_after if outlook else None,
        **{name: document[name] for name in _KEPT},
        "images": images,
        "not_honoured": sorted(ignored_fields(operation)),
    }


def render_operation(
    operation: Operation,
    links: PictureUrls,
    outlook: Outlook | None,
    previews: Mapping[int, bytes],
    version: str,
) -> dict[str, Any]:
    """The result of a tool that makes or finds pictures. `previews`: WebP by slot."""
    facts = render_facts(operation, links, outlook)
    content = [_text(_describe(operation, facts))]
    characters_left = LARGEST_PREVIEWS
    for picture in operation.pictures:
        encoded = base64.b64encode(previews.get(picture.slot, b"")).decode()
        characters_left -= len(encoded)
        if encoded and characters_left >= 0:
            content.append({"type": "image", "data": encoded, "mimeType": "image/webp"})
        if has_structure(version):
            content.append({"type": "resource_link", **describe_picture(operation, picture)})
    failed = operation.state is State.FAILED
    return _result(content, facts, version, failed=failed)


def render_list(facts: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The result of a tool that lists things: the same as JSON and as a text."""
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return _result([_text(text)], facts, version, failed=False)


def render_refused(error: RequestError) -> dict[str, Any]:
    """The result of a call that the model has to change: it reads what to do in the text."""
    text = f"{error.message} {error.remedy}" if error.remedy else error.message
    return {"content": [_text(f"{error.code}: {text}")], "isError": True}


def _result(content: Sequence[Any], facts: Mapping[str, Any], version: str, *, failed: bool) -> dict[str, Any]:
    structured = {"structuredContent": facts} if has_structure(version) else {}
    return {"content": list(content), **structured, "isError": failed}


def describe_picture(operation: Operation, picture: Picture) -> dict[str, Any]:
    """The picture in a list of resources."""
    prompt = None if operation.request.private else operation.request.prompt
    title = {"title": prompt if len(prompt) <= 100 else f"{prompt[:99]}…"} if prompt else {}
    return {
        "uri": picture_uri(operation, picture.slot),
        "name": f"{picture_id(operation, picture.slot)}.{picture.key.rpartition('.')[2]}",
        **title,
        "description": f"{picture.width}x{picture.height} pixels, made by {operation.model}.",
        "mimeType": picture.content_type,
        "size": picture.bytes,
        "annotations": {"audience": ["user"], "lastModified": rfc3339(operation.ended_at or operation.updated_at)},
    }


def _describe(operation: Operation, facts: Mapping[str, Any]) -> str:
    lines = [_summary(operation, facts)]
    for image in facts["images"]:
        seed = "" if image["seed"] is None else f", seed {image['seed']}"
        lines.append(f"{image['url']} ({image['width']}x{image['height']}, {image['mime_type']}{seed}, {image['uri']})")
    if facts["not_honoured"]:
        lines.append(f"Not honoured: {', '.join(facts['not_honoured'])}.")
    return "\n".join(lines)


def _summary(operation: Operation, facts: Mapping[str, Any]) -> str:
    called = f"Operation {operation.id}"
    match operation.state:
        case State.SUCCEEDED:
            return f"{called} succeeded: {len(operation.pictures)} of {operation.request.n} by {operation.model}."
        case State.FAILED:
            failure = operation.failure
            reason = f"{failure.code}: {failure.message}" if failure else "for an unknown reason"
            return f"{called} failed. {reason}"
        case State.CANCELLED:
            return f"{called} is cancelled."
    return (
        f"{called} is {operation.state}: the pictures are still being made. Call get_operation with this operation_id "
        f"in {facts['retry_after']} seconds."
    )


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
