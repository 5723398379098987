"""Hostile pictures: from upstreams, where the work of an attempt ends, and from callers, who want them edited.

Each of BAD must be refused in words on both sides. What is bent at random may also be stored, if a decoder shows it.
"""

import gzip
import io
import logging
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from random import Random

from PIL import Image

from imagegate.domain.failure import FailureCode
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.outcome import Ready
from support.fakes import routes
from support.fuzz_server import gateway
from support.gateway import Gateway
from support.hostile import Hostile, event_of
from support.hostile_corpus import jpeg, part, png, webp
from support.siege import LONGEST_SECONDS, Siege, captured
from support.world import World

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
ANIMATED = ("PNG", "WEBP", "GIF", "AVIF")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" width="9" height="9">%s</svg>'
KIND_MADE, KIND_SENT, KIND_BENT = "hostile picture made", "hostile picture sent", "bent picture made"
_WORDS, _MOST_WORDS = 20, 300
"""Characters that a message has: a sentence, and not what the file holds."""


@cache
def whole(output_format: str, frames: int = 1) -> bytes:
    """A good picture."""
    image, out = Image.linear_gradient("L").resize((64, 48)).convert("RGB"), io.BytesIO()
    more = {"save_all": True, "append_images": [image.rotate(at) for at in range(1, frames)]} if frames > 1 else {}
    image.save(out, output_format, **more)
    return out.getvalue()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _png_bomb() -> bytes:
    """Less than a megabyte that unpacks to three hundred."""
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(10_000 * 30_001), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _frames_gif(frames: int) -> bytes:
    screen = b"GIF89a\x08\x00\x08\x00\x80\x00\x00" + b"\x00\x00\x00\xff\xff\xff"
    control, place = b"\x21\xf9\x04\x00\x01\x00\x00\x00", b"\x2c\x00\x00\x00\x00\x08\x00\x08\x00\x00"
    frame = control + place + b"\x02\x07\x84\x8f\xa9\xcb\xed\x0f\x63\x00"
    return screen + frame * frames + b"\x3b"


def _frames_png(frames: int) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    rows, control = zlib.compress(bytes(8 * 9)), struct.pack(">IIIIHHBB", 8, 8, 0, 0, 1, 10, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", header, _chunk(b"acTL", struct.pack(">II", frames, 0))]
    for at in range(frames):
        data = _chunk(b"IDAT", rows) if at == 0 else _chunk(b"fdAT", struct.pack(">I", 2 * at) + rows)
        parts += [_chunk(b"fcTL", struct.pack(">I", max(0, 2 * at - 1)) + control), data]
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _frames_webp(frames: int) -> bytes:
    still = whole("WEBP")
    frame = bytes(6) + (63).to_bytes(3, "little") + (47).to_bytes(3, "little") + b"\x0a\x00\x00\x00" + still[12:]
    chunk = b"ANMF" + struct.pack("<I", len(frame)) + frame
    head = (
        b"VP8X" + struct.pack("<I", 10) + b"\x02\x00\x00\x00" + (63).to_bytes(3, "little") + (47).to_bytes(3, "little")
    )
    body = b"WEBP" + head + b"ANIM" + struct.pack("<I", 6) + bytes(6) + chunk * frames
    return b"RIFF" + struct.pack("<I", len(body)) + body


def archive() -> bytes:
    """A ZIP file with a page in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.html", "<script>1</script>")
    return out.getvalue()


def _svg(content: bytes) -> Callable[[], bytes]:
    return lambda: SVG % content


def _truncated(output_format: str, frames: int) -> bytes:
    body = whole(output_format, frames)
    return body[: len(body) // 2]


_LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (at, b"&l%d;" % (at - 1) * 10) for at in range(1, 10))
BAD: Mapping[str, Callable[[], bytes]] = {
    "bomb png": _png_bomb,
    "bomb png by its header": partial(png, 60_000, 60_000),
    "bomb jpeg by its header": partial(jpeg, 65_000, 65_000),
    "bomb webp by its header": partial(webp, 16_384, 16_384),
    "bomb gif by its screen": lambda: b"GIF89a\xff\xff\xff\xff\x80\x00\x00" + whole("GIF")[13:],
    **{f"truncated {name}": partial(_truncated, name, 1) for name in FORMATS},
    **{f"truncated animation {name}": partial(_truncated, name, 4) for name in ANIMATED},
    "10,000 frames gif": partial(_frames_gif, 10_000),
    "10,000 frames png": partial(_frames_png, 10_000),
    "10,000 frames webp": partial(_frames_webp, 10_000),
    "lying page": lambda: b"<!DOCTYPE html><title>Sign in</title><script>1</script>",
    "lying archive": archive,
    "lying program": lambda: b"\x7fELF\x02\x01\x01" + bytes(200),
    "lying film": lambda: b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + bytes(200),
    "lying bitmap": lambda: b"BM" + struct.pack("<IHHI", 154, 0, 0, 54) + bytes(140),
    "lying tiff": lambda: b"II*\x00\x08\x00\x00\x00" + bytes(60),
    "lying png": lambda: b"\x89PNG\r\n\x1a\n" + whole("JPEG"),
    "lying jpeg": lambda: b"\xff\xd8\xff" + whole("PNG"),
    "lying webp": lambda: b"RIFF\x20\x00\x00\x00WEBP" + whole("PNG"),
    "lying avif": lambda: b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1" + whole("PNG"),
    "lying gif": lambda: b"GIF89a" + whole("PNG"),
    "packed drawing": lambda: gzip.compress(SVG % b""),
    "polyglot gif and script": lambda: b"GIF89a/*" + bytes(10) + b"*/=1;alert(1)",
    "polyglot document and png": lambda: b"%PDF-1.7\n" + whole("PNG"),
    "polyglot archive and jpeg": lambda: archive() + whole("JPEG"),
    "polyglot page and drawing": lambda: b"<!--<html>--><html><body>" + SVG % b"" + b"</body></html>",
    "polyglot drawing and page": lambda: SVG % b'<a xmlns="http://www.w3.org/1999/xhtml"><b/></a>',
    "drawing script": _svg(b"<script>1</script>"),
    "drawing script of a namespace": _svg(b'<q:script xmlns:q="http://www.w3.org/2000/svg">1</q:script>'),
    "drawing event": _svg(b'<path onload="1" d="M0 0"/>'),
    "drawing address": _svg(b'<image x:href="http://169.254.169.254/latest/"/>'),
    "drawing use": _svg(b'<use href="//evil.example/a.svg#b"/>'),
    "drawing javascript": _svg(b'<a href="java&#10;script:1"><path d="M0 0"/></a>'),
    "drawing animation": _svg(b'<a href="#a"><set attributeName="href" to="javascript:1"/></a>'),
    "drawing style": _svg(b"<style>@import 'http://evil.example/a.css';</style>"),
    "drawing style address": _svg(b'<path style="fill:url(http://evil.example/a)" d="M0 0"/>'),
    "drawing page": _svg(b'<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>'),
    "drawing data page": _svg(b'<image href="data:text/html,x"/>'),
    "drawing entities": lambda: b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "l">%s]>' % _LAUGHS + SVG % b"&l9;",
    "drawing external entity": lambda: (
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + SVG % b"<text>&e;</text>"
    ),
    "drawing style sheet": lambda: b'<?xml version="1.0"?><?xml-stylesheet href="http://evil.example/"?>' + SVG % b"",
    "drawing too deep": _svg(b"<g>" * 50_000 + b"</g>" * 50_000),
    "drawing too large": _svg(b"<path/>" * 1_500_000),
    "drawing without end": lambda: (SVG % b"")[:-6],
}
"""Name to a file; its first word is its kind."""


def lay_pictures(siege: Siege, count: int, seed: int) -> None:
    """Every one of BAD on both sides, and then good ones bent at random, about `count` in all."""
    logging.getLogger("PIL").setLevel(logging.INFO)  # it writes a line for each chunk of a file
    made, key = gateway()
    for name, build in BAD.items():
        body = build()
        _judge(siege, KIND_MADE, name, body, refused=True)
        _send(siege, made, key, name, body)
    random = Random(seed)
    for at in range(max(0, count - 2 * len(BAD))):
        _judge(siege, KIND_BENT, f"seed {seed}, number {at}", _bent(random), refused=False)


def _bent(random: Random) -> bytes:
    name, frames = random.choice([*((name, 1) for name in FORMATS), *((name, 3) for name in ANIMATED), ("SVG", 1)])
    body = bytearray(SVG % b"<g/>" if name == "SVG" else whole(name, frames))
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(body))
        body[at : at + random.randint(0, 6)] = random.randbytes(random.randint(0, 6))
    return bytes(body)


def _judge(siege: Siege, kind: str, name: str, body: bytes, *, refused: bool) -> None:
    """An upstream answers with the file."""
    world = World(routes=routes("alpha"))
    world.alpha.checks = [Ready(bodies=(body,))]
    siege.tried[kind] += 1
    began = time.monotonic()
    try:
        with captured() as log:
            ended = world.drive(world.begun())
    except Exception as error:
        siege.complaints.append(f"{kind}: {name}: {type(error).__name__}: {error}"[:500])
        return
    took = time.monotonic() - began
    siege.slowest_seconds = max(siege.slowest_seconds, took)
    wrong = [f"it took {took:.1f} s"] if took > LONGEST_SECONDS else []
    wrong += ["a traceback is in the log"] if "Traceback" in log.getvalue() else []
    wrong += _wrong_with(ended, world, refused)
    siege.complaints.extend(f"{kind}: {name}: {complaint}" for complaint in wrong)


def _wrong_with(ended: Operation, world: World, refused: bool) -> list[str]:
    [attempt, *_] = ended.attempts
    if attempt.failure is None:
        return ["it was stored"] if refused else []
    said = attempt.failure.message
    wrong = [f"it says only {said!r}"] if len(said) < _WORDS or len(said) > _MOST_WORDS else []
    if attempt.failure.code not in (FailureCode.BAD_PAYLOAD, FailureCode.CONTENT_FILTERED):
        wrong.append(f"it is {attempt.failure.code}")
    if ended.state is State.FAILED and world.images.objects:
        wrong.append("something of it was stored")
    return wrong


def _send(siege: Siege, made: Gateway, key: str, name: str, body: bytes) -> None:
    """A caller sends the file to have it edited."""
    line, mark, known = b"--b\r\n", "xyzzy-picture", len(made.store.documents)
    form = line + part("prompt", mark.encode()) + line + part("image", body, "x.png") + b"--b--\r\n"
    headers = {
        "host": "api.invalid",
        "authorization": f"Bearer {key}",
        "content-type": "multipart/form-data; boundary=b",
    }
    siege.lay(made, key, [Hostile(KIND_SENT, event_of("POST", "/v1/images/edits", "", headers, form), mark)])
    if len(made.store.documents) > known:
        siege.complaints.append(f"{KIND_SENT}: {name}: it was accepted")
