"""Operations as JSON documents, the form in which they are stored. Absent means `None`."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from imagegate.domain.account import Account, Amount
from imagegate.domain.attempt import Attempt, AttemptState, Source
from imagegate.domain.errors import Failure, FailureCode
from imagegate.domain.geometry import Size
from imagegate.domain.operation import Operation, Picture, State
from imagegate.domain.request import ImageRequest, InputImage, Message
from imagegate.domain.usage import Usage
from imagegate.domain.webhook import Webhook

Document = Mapping[str, Any]


def dumps(operation: Operation) -> str:
    """The operation as compact JSON."""
    return json.dumps(operation, default=_fields, separators=(",", ":"), ensure_ascii=False)


def loads(text: str) -> Operation:
    """The operation back from `dumps`."""
    return _operation(json.loads(text))


def _fields(value: Any) -> dict[str, Any]:
    named = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    return {name: content for name, content in named if content is not None}


def _operation(document: Document) -> Operation:
    return Operation(
        **{
            **document,
            "request": _request(document["request"]),
            "state": State(document["state"]),
            "attempts": tuple(map(_attempt, document["attempts"])),
            "pictures": tuple(Picture(**picture) for picture in document["pictures"]),
            "failure": _failure(document.get("failure")),
            "account": _account(document.get("account")),
            "not_expanded": _failure(document.get("not_expanded")),
            "webhook": _webhook(document.get("webhook")),
        }
    )


def _webhook(document: Document | None) -> Webhook | None:
    return Webhook(**{**document, "events": tuple(document["events"])}) if document else None


def _request(document: Document) -> ImageRequest:
    size, ratio = document.get("size"), document.get("ratio")
    return ImageRequest(
        **{
            **document,
            "messages": tuple(Message(**message) for message in document["messages"]),
            "size": Size(**size) if size else None,
            "ratio": (ratio[0], ratio[1]) if ratio else None,
            "inputs": tuple(InputImage(**one) for one in document["inputs"]),
            "mask": InputImage(**document["mask"]) if document.get("mask") else None,
        }
    )


def _attempt(document: Document) -> Attempt:
    return Attempt(
        **{
            **document,
            "slots": tuple(document["slots"]),
            "state": AttemptState(document["state"]),
            "sources": tuple(Source(source["url"]) for source in document["sources"]),
            "not_honoured": tuple(document["not_honoured"]),
            "revised_prompts": tuple(document.get("revised_prompts", ())),
            "usage": Usage(**document["usage"]) if document.get("usage") else None,
            "failure": _failure(document.get("failure")),
        }
    )


def _failure(document: Document | None) -> Failure | None:
    return Failure(**{**document, "code": FailureCode(document["code"])}) if document else None


def _account(document: Document | None) -> Account | None:
    return Account(**{**document, "booked": Amount(**document["booked"])}) if document else None
