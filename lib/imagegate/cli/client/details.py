"""An operation as people read it."""

from collections.abc import Iterator

from imagegate.cli.client.states import Operation, moment
from imagegate.cli.sentences import aligned, printable


def details(operation: Operation) -> str:
    """Several lines: what it is, each attempt, each picture, and the error if there is one."""
    return "\n".join(map(printable, _lines(operation)))


def _lines(operation: Operation) -> Iterator[str]:
    yield from aligned(list(_facts(operation))).split("\n")
    if operation["attempts"]:
        yield ""
        rows = [_attempt(operation, attempt) for attempt in operation["attempts"]]
        yield from aligned([("ATTEMPT", "PROVIDER", "MODEL", "STATE", "FROM", "SECONDS", "ERROR"), *rows]).split("\n")
    if operation["images"]:
        yield ""
        rows = [_image(image) for image in operation["images"]]
        yield from aligned([("PICTURE", "PROVIDER", "SIZE", "SEED", "TYPE", "KB"), *rows]).split("\n")


def _facts(operation: Operation) -> Iterator[tuple[str, str]]:
    yield "operation", operation["id"]
    yield "state", operation["state"]
    yield "model", operation["model"]
    yield "prompt", " ".join((operation["prompt"] or "kept private").split())
    yield "created", operation["created_at"]
    if operation["ended_at"]:
        took = moment(operation["ended_at"]) - moment(operation["created_at"])
        yield "ended", f"{operation['ended_at']}, after {took:.1f} s"
    if operation["error"]:
        yield "error", f"{operation['error']['code']}: {operation['error']['message']}"
        yield "may have cost", "yes" if operation["may_have_cost"] else "no"
    for name, value in operation["metadata"].items():
        yield "metadata", f"{name}={value}"


def _attempt(operation: Operation, attempt: Operation) -> tuple[str, ...]:
    began = moment(attempt["started_at"])
    took = f"{moment(attempt['ended_at']) - began:.1f}" if attempt["ended_at"] else "-"
    error = attempt["error"]
    return (
        str(attempt["number"]),
        attempt["provider"],
        attempt["model"],
        attempt["state"],
        f"+{began - moment(operation['created_at']):.1f}",
        took,
        f"{error['code']}: {error['message']}" if error else "",
    )


def _image(image: Operation) -> tuple[str, ...]:
    size, seed = f"{image['width']}x{image['height']}", image["seed"]
    kilobytes = f"{image['bytes'] / 1000:.0f}"
    return image["id"], image["provider"], size, "-" if seed is None else str(seed), image["content_type"], kilobytes
