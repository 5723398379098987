"""The native JSON of an operation, as in events and in the operations API. No bytes, no URLs."""

from datetime import UTC, datetime
from typing import Any

from imagegate.domain.failure import Failure
from imagegate.domain.operation.attempt import Attempt
from imagegate.domain.operation.honoured import not_honoured
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.picture import Picture
from imagegate.domain.operation.usage import Usage
from imagegate.domain.pictures.marks import Provenance
from imagegate.domain.webhooks.webhook import Webhook


def represent(operation: Operation) -> dict[str, Any]:
    """The operation for its owner. Times are RFC 3339 in UTC."""
    return {
        "id": operation.id,
        "state": operation.state,
        "done": operation.done,
        "model": operation.model,
        "prompt": None if operation.request.private else operation.request.prompt,
        "expand": operation.request.expand,
        "revised_prompt": None if operation.request.private else operation.revised_prompt,
        "not_expanded": _failure(operation.not_expanded),
        "n": operation.request.n,
        "metadata": dict(operation.metadata),
        "may_have_cost": operation.may_have_cost,
        "dialect": operation.dialect,
        "created_at": rfc3339(operation.created_at),
        "started_at": rfc3339(operation.started_at),
        "updated_at": rfc3339(operation.updated_at),
        "ended_at": rfc3339(operation.ended_at),
        "deadline": rfc3339(operation.deadline),
        "images": [_picture(operation, picture) for picture in operation.pictures],
        "attempts": [_attempt(attempt) for attempt in operation.attempts],
        "usage": usage(operation.usage),
        "error": _failure(operation.failure),
        "late": bool(operation.late_pictures),
        "webhook": _webhook(operation.webhook),
        "version": operation.version,
    }


def picture_id(operation: Operation, slot: int) -> str:
    """The id of a picture: its operation's, and its slot."""
    return f"{operation.id}-{slot}"


def picture_path(operation: Operation, slot: int) -> str:
    """Path of a picture on this gateway."""
    return f"/v1/images/{picture_id(operation, slot)}"


def rfc3339(time: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339 with milliseconds."""
    if time is None:
        return None
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def usage(tokens: Usage | None) -> dict[str, Any] | None:
    """Tokens as OpenAI's `usage` has them."""
    if tokens is None:
        return None
    return {
        "input_tokens": tokens.input_tokens,
        "input_tokens_details": {
            "text_tokens": tokens.input_text_tokens,
            "image_tokens": tokens.input_image_tokens,
        },
        "output_tokens": tokens.output_tokens,
        "total_tokens": tokens.total_tokens,
    }


def _picture(operation: Operation, picture: Picture) -> dict[str, Any]:
    return {
        "slot": picture.slot,
        "key": picture.key,
        "sha256": picture.sha256,
        "content_type": picture.content_type,
        "width": picture.width,
        "height": picture.height,
        "bytes": picture.bytes,
        "seed": picture.seed,
        "provider": picture.provider,
        "late": picture.late,
        "revised_prompt": picture.revised_prompt,
        "single_colour": picture.single_colour,
        "frames": picture.frames,
        "not_honoured": list(not_honoured(operation, picture)),
        "converted_from": picture.converted_from,
        "provenance": represent_provenance(picture.provenance),
    }


def represent_provenance(provenance: Provenance | None) -> dict[str, Any] | None:
    """The marks of origin of a picture."""
    if provenance is None:
        return None
    return {
        "upstream": list(provenance.upstream),
        "kept": list(provenance.kept),
        "added": list(provenance.added),
        "digital_source_type": provenance.digital_source_type,
        "validation": provenance.validation,
        "signer": provenance.signer,
        "note": provenance.note,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "provider": attempt.provider,
        "model": attempt.model,
        "slots": list(attempt.slots),
        "state": attempt.state,
        "started_at": rfc3339(attempt.started_at),
        "ended_at": rfc3339(attempt.ended_at),
        "repeats": attempt.repeats,
        "not_honoured": list(attempt.not_honoured),
        "reason": attempt.reason or None,
        "usage": usage(attempt.usage),
        "error": _failure(attempt.failure),
    }


def _webhook(webhook: Webhook | None) -> dict[str, Any] | None:
    """Without its URL, which subscribers of the bus must not see."""
    return {"host": webhook.host, "events": list(webhook.events)} if webhook else None


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    return {"code": failure.code, "message": failure.message} if failure else None
