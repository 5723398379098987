"""Whole pictures with another file behind them: only the picture may be stored, and as nothing else."""

import base64
from collections.abc import Mapping

from imagegate.domain.operation.operation import State
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.pictures.headers import content_type_of, made_type_of
from support.fakes import MemoryImages, routes
from support.fuzz_server import gateway
from support.hostile_pictures import ANIMATED, FORMATS, archive, whole
from support.siege import Siege
from support.world import World

KIND_MADE, KIND_SENT = "polyglot made", "polyglot sent"
_BEHIND: Mapping[str, bytes] = {
    "archive": archive(),
    "page": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "script": b"*/=1;alert(1)//",
    "document": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
    "drawing": b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
}
POLYGLOTS: Mapping[str, tuple[bytes, bytes]] = {
    f"{name}{' animation' if frames > 1 else ''} and {kind}": (whole(name, frames), behind)
    for name, frames in (*((name, 1) for name in FORMATS), *((name, 3) for name in ANIMATED))
    for kind, behind in _BEHIND.items()
}
"""Name to a picture, and what follows it in its file."""


def lay_polyglots(siege: Siege) -> None:
    """Every one of POLYGLOTS, from an upstream and from a caller."""
    for name, (picture, behind) in POLYGLOTS.items():
        siege.complaints += [f"{KIND_MADE}: {name}: {wrong}" for wrong in _made(siege, picture, behind)]
        siege.complaints += [f"{KIND_SENT}: {name}: {wrong}" for wrong in _sent(siege, picture, behind)]


def _made(siege: Siege, picture: bytes, behind: bytes) -> list[str]:
    """An upstream answers with the file."""
    world = World(routes=routes("alpha"))
    world.alpha.checks = [Ready(bodies=(picture + behind,))]
    siege.tried[KIND_MADE] += 1
    ended = world.drive(world.begun())
    if ended.state is not State.SUCCEEDED:
        return [f"it is {ended.state}"]
    return _wrong_with(world.images, behind)


def _sent(siege: Siege, picture: bytes, behind: bytes) -> list[str]:
    """A caller sends the file to have it edited."""
    made, key = gateway()
    siege.tried[KIND_SENT] += 1
    image = "data:image/png;base64," + base64.b64encode(picture + behind).decode()
    body = {"prompt": "x", "image": image}
    answer = made.call("POST", "/v1/images/edits", body, x_api_key=key, prefer="respond-async")
    siege.statuses[answer.status] += 1
    if (answer.status < 300) is (content_type_of(picture) is None):
        return [f"status {answer.status}: {answer.text}"]
    return _wrong_with(made.images, behind)


def _wrong_with(images: MemoryImages, behind: bytes) -> list[str]:
    wrong = [f"{key} has what was behind it" for key, body in images.objects.items() if behind in body]
    told = {key: made_type_of(body) for key, body in images.objects.items()}
    return wrong + [f"{key} is said to be {images.types[key]}" for key in told if told[key] != images.types[key]]
