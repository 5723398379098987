"""The tools, as language models see them: what each does, its arguments, its result."""

from collections.abc import Mapping
from typing import Any

from imagegate.dialects.mcp.messages import WITH_HANDSHAKE

LONGEST_WAIT = 25
"""Seconds for which a call waits for pictures. API Gateway ends it after 30, and the first clients give up after 60."""
MOST_INPUTS = 16
PICTURE_URI = "imagegate://images/"
PREVIEW_URI = "imagegate://previews/"
OPERATION_URI = "imagegate://operations/"

_WITH_STRUCTURE = WITH_HANDSHAKE[: WITH_HANDSHAKE.index("2025-06-18") + 1]


def has_structure(version: str) -> bool:
    """True for versions with structured results, links to resources and titles: since 2025-06-18."""
    return version in _WITH_STRUCTURE or version not in WITH_HANDSHAKE


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _or_null(kind: str, description: str = "") -> dict[str, Any]:
    return {"type": [kind, "null"], **({"description": description} if description else {})}


def _object(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


_WAIT = {
    "type": "number",
    "minimum": 0,
    "maximum": LONGEST_WAIT,
    "description": f"Seconds to wait for the result. {LONGEST_WAIT} by default; 0 returns at once.",
}
_OPERATION = _text("The `operation_id` of an earlier result.")
_WISHES: dict[str, Any] = {
    "model": _text("A model's id as list_models gives it. Leave it out for the default."),
    "n": {"type": "integer", "minimum": 1, "maximum": 10, "description": "Number of pictures. 1 by default."},
    "size": _text("WIDTHxHEIGHT in pixels, such as '1024x768', or 'auto'."),
    "aspect_ratio": _text("Width to height, such as '16:9', in place of `size`."),
    "quality": _text("Of models that have it.", enum=["low", "medium", "high", "auto"]),
    "background": _text("Of models that have it.", enum=["transparent", "opaque", "auto"]),
    "output_format": _text("What the model makes, if left out.", enum=["png", "jpeg", "webp"]),
    "seed": {"type": "integer", "minimum": 0, "description": "The same seed and prompt give a similar picture."},
    "negative_prompt": _text("What the picture must not show. Of models that have it."),
    "wait_seconds": _WAIT,
}
_PROMPT = _text("What the picture shows.", minLength=1, maxLength=32_000)
_PICTURE = _object(
    {
        "id": _text("Of the picture."),
        "uri": _text("Read it with resources/read, or give it to edit_image."),
        "url": _text("Opens the picture in a browser, without a key, for as long as it is kept."),
        "mime_type": {"type": "string"},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "bytes": {"type": "integer"},
        "seed": _or_null("integer"),
        "provider": {"type": "string"},
        "revised_prompt": _or_null("string", "The prompt it was made from, where it is another than yours."),
    },
    ("id", "uri", "url", "mime_type", "width", "height", "bytes"),
)
_FAILURE = {
    "type": ["object", "null"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
    "description": "Why it failed.",
}
_RESULT = _object(
    {
        "operation_id": {"type": "string"},
        "state": {"type": "string", "enum": ["queued", "running", "succeeded", "failed", "cancelled"]},
        "done": {"type": "boolean", "description": "False while the pictures are being made."},
        "retry_after": _or_null("integer", "Seconds after which to call get_operation, while it is not done."),
        "model": {"type": "string"},
        "prompt": _or_null("string"),
        "created_at": {"type": "string"},
        "estimated_ready_at": _or_null("string"),
        "images": {"type": "array", "items": _PICTURE},
        "not_honoured": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Arguments that the pictures do not show, or only nearly.",
        },
        "cost_usd": _or_null("number", "US dollars, where the price is known."),
        "error": _FAILURE,
    },
    ("operation_id", "state", "done", "images"),
)
_MODEL = _object(
    {
        "id": {"type": "string"},
        "description": {"type": "string"},
        "aliases": {"type": "array", "items": {"type": "string"}},
        "available": {"type": "boolean", "description": "False where the gateway lacks a credential for it."},
        "edits": {"type": "boolean", "description": "True when edit_image takes it."},
        "input_images": {"type": "integer", "description": "Most pictures for edit_image."},
        "sides": _text("Pixels that a side may have."),
        "arguments": {"type": "array", "items": {"type": "string"}, "description": "Optional arguments it honours."},
        "price_usd": _or_null("number", "US dollars for a picture, where it is known: the least of its providers'."),
        "expected_seconds": _or_null("number", "How long its pictures usually take."),
    },
    ("id", "available", "edits"),
)


def _tool(
    name: str,
    title: str,
    description: str,
    arguments: dict[str, Any],
    result: dict[str, Any],
    *,
    reads: bool = False,
    destroys: bool = False,
    repeatable: bool = False,
    leaves: bool = False,
) -> dict[str, Any]:
    """`leaves`: it calls providers outside of the gateway."""
    annotations = {
        "title": title,
        "readOnlyHint": reads,
        "destructiveHint": destroys,
        "idempotentHint": reads or repeatable,
        "openWorldHint": leaves,
    }
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": arguments,
        "outputSchema": result,
        "annotations": annotations,
    }


_LATER = (
    f"Waits up to {LONGEST_WAIT} seconds. If `done` is false then, the pictures are still being made and nothing is "
    "lost: call get_operation with the `operation_id` after `retry_after` seconds. Do not make the same call again, "
    "because every call makes and may charge for new pictures."
)
_ALL: tuple[dict[str, Any], ...] = (
    _tool(
        "generate_image",
        "Generate pictures",
        f"Make pictures from a prompt. It may cost money. {_LATER}",
        _object({"prompt": _PROMPT, **_WISHES}, ("prompt",)),
        _RESULT,
        leaves=True,
    ),
    _tool(
        "edit_image",
        "Edit pictures",
        f"Make pictures from pictures and a prompt that says what to change. It may cost money. {_LATER}",
        _object(
            {
                "prompt": _text("What to change.", minLength=1, maxLength=32_000),
                "images": {
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "maxItems": MOST_INPUTS,
                    "description": f"Each the `uri` of an earlier picture ({PICTURE_URI}…), an https address, or a "
                    "data URL in base64.",
                },
                "mask": _text("A picture, as in `images`, whose transparent parts mark where to change the first one."),
                **_WISHES,
            },
            ("prompt", "images"),
        ),
        _RESULT,
        leaves=True,
    ),
    _tool(
        "get_operation",
        "Get the pictures of an earlier call",
        "Wait for an operation and return its pictures, however long ago it was started. It costs nothing.",
        _object({"operation_id": _OPERATION, "wait_seconds": _WAIT}, ("operation_id",)),
        _RESULT,
        reads=True,
    ),
    _tool(
        "cancel_operation",
        "Cancel an operation",
        "Stop an operation that is not done. What a provider has already made may be charged for.",
        _object({"operation_id": _OPERATION}, ("operation_id",)),
        _RESULT,
        destroys=True,
        repeatable=True,
        leaves=True,
    ),
    _tool(
        "list_models",
        "List the models",
        "The models that this key may use, with what they take, cost, and how long they need.",
        _object({}),
        _object({"models": {"type": "array", "items": _MODEL}}, ("models",)),
        reads=True,
    ),
    _tool(
        "list_operations",
        "List operations",
        "Earlier operations, newest first, with their pictures: to find one whose result was lost.",
        _object(
            {
                "state": _text("Only those in it.", enum=["queued", "running", "succeeded", "failed", "cancelled"]),
                "model": _text("Only those of this model."),
                "page_size": {"type": "integer", "minimum": 1, "maximum": 50, "description": "10 by default."},
                "page_token": _text("`next_page_token` of the page before."),
            }
        ),
        _object(
            {"operations": {"type": "array", "items": _RESULT}, "next_page_token": _or_null("string")}, ("operations",)
        ),
        reads=True,
    ),
)
TOOLS: Mapping[str, dict[str, Any]] = {tool["name"]: tool for tool in _ALL}
"""By name, in the order in which they are listed."""


def render_tools(version: str) -> list[dict[str, Any]]:
    """The tools as clients of a version know them."""
    if has_structure(version):
        return list(TOOLS.values())
    return [
        {name: value for name, value in tool.items() if name not in ("title", "outputSchema")}
        for tool in TOOLS.values()
    ]
