"""CPU per picture and layer, and the memory of a poll: `make bench NAME=pictures` [N=9].

Layers are timed each by itself on pictures of 1 and 4 megapixels, as CPU milliseconds of this machine, the median of N.
The memory is that of a process in which the function `poll` stores four pictures of 8 megapixels, converted and signed,
once from URLs and once from one JSON answer in base64. Needs `make c2pa`. Exits with 1 if the memory is more than the
template gives.
"""

import base64
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image

from benchmarks.function_process import environment
from imagegate.adapters.c2pa_pictures import C2paPictures
from imagegate.adapters.pillow_pictures import PillowPictures
from imagegate.domain.pictures.provenance import mark
from imagegate.domain.pictures.xmp import Origin
from imagegate.local.signing_chain import make_chain
from imagegate.local.stack.packaging import load_yaml
from support.signing import identity_of
from support.stack_settings import TEMPLATE

N = int(os.environ.get("N", "9"))
SIDES = {1: (1024, 1024), 4: (2048, 2048), 8: (3328, 2496)}
"""Width and height by megapixels."""
CONVERTED_TO = {"png": "webp", "jpeg": "png", "webp": "jpeg"}
STORED = (("urls", "png"), ("urls", "jpeg"), ("urls", "noise"), ("base64", "png"), ("base64", "jpeg"))
"""How four pictures come, and which. Four of noise do not fit into one answer in base64, which has at most 32 MiB."""
PICTURES = 4
ORIGIN = Origin(provider="alpha", model="m", operation="o", made_at=0.0, generator="imagegate 0.1.0")


@cache
def drawn(megapixels: int, output_format: str) -> bytes:
    """A picture with gradients and grain, which compresses about as well as a photograph."""
    width, height = SIDES[megapixels]
    gradient = Image.linear_gradient("L").resize((width, height))
    grain = Image.effect_noise((width, height), 12)
    bands = [Image.blend(gradient.transpose(turn), grain, 0.2) for turn in (Image.Transpose(0), Image.Transpose(1))]
    out = BytesIO()
    Image.merge("RGB", (gradient, *bands)).save(out, output_format.upper())
    return out.getvalue()


@cache
def noise() -> bytes:
    """A PNG of 8 megapixels that nothing compresses: the largest that there can be."""
    width, height = SIDES[8]
    out = BytesIO()
    Image.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def milliseconds(work: Callable[[], Any]) -> float:
    """CPU that the work takes, the median of N."""
    taken = []
    for _ in range(N):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1000)
    return round(statistics.median(taken), 2)


def layers(megapixels: int, output_format: str) -> Mapping[str, float]:
    """CPU milliseconds by layer."""
    codec, signer = PillowPictures(), C2paPictures(identity_of(make_chain()))
    body, content_type = drawn(megapixels, output_format), f"image/{output_format}"
    marked, _ = mark(body, content_type, ORIGIN)
    signed = signer.sign(marked, content_type, ORIGIN, None, from_signed=False)  # also loads the library
    return {
        "inspect": milliseconds(lambda: codec.inspect(body)),
        "preview": milliseconds(lambda: codec.preview(body)),
        "xmp": milliseconds(lambda: mark(body, content_type, ORIGIN)),
        "c2pa": milliseconds(lambda: signer.sign(marked, content_type, ORIGIN, None, from_signed=False)),
        "check": milliseconds(lambda: signer.check(signed, content_type)),
        "convert": milliseconds(lambda: codec.convert(body, CONVERTED_TO[output_format])),
        "bytes": len(body),
        "added_by_c2pa": len(signed) - len(marked),
    }


def peak_of_poll(way: str, kind: str) -> float:
    """MB that a process of its own has taken at most."""
    body, output_format = (noise(), "png") if kind == "noise" else (drawn(8, kind), kind)
    command = [sys.executable, "-m", "benchmarks.pictures", "store", way, output_format]
    done = subprocess.run(command, env=environment(), input=body, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return float(done.stdout)


def store(way: str, output_format: str) -> None:
    """Store four pictures as the function does; print the peak of this process's memory, in MB."""
    import poll
    from imagegate.domain.operation.attempt import Source
    from imagegate.domain.operation.outcome import Ready
    from support.world import World

    body = sys.stdin.buffer.read()
    world = World()
    world.images.put = lambda *_: None  # type: ignore[method-assign] - S3 keeps it elsewhere
    world.deployment.__dict__["_signer"] = C2paPictures(identity_of(make_chain()))
    if way == "urls":
        urls = [f"https://alpha.invalid/{number}" for number in range(PICTURES)]
        world.http.downloads |= {url: bytes(body) for url in urls}
        ready = Ready(sources=tuple(map(Source, urls)))
    else:
        answer = json.dumps({"data": [{"b64_json": base64.b64encode(body).decode()}] * PICTURES}).encode()
        ready = Ready(bodies=tuple(base64.b64decode(entry["b64_json"]) for entry in json.loads(answer)["data"]))
    world.alpha.checks = [ready]
    ended = world.drive(world.begun(n=PICTURES, output_format=CONVERTED_TO[output_format]))
    assert len(ended.pictures) == PICTURES, ended
    assert all("c2pa" in picture.provenance.added for picture in ended.pictures if picture.provenance), ended
    assert poll.handler
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def main() -> None:
    """Print the figures; the last line is one JSON object."""
    if sys.argv[1:2] == ["store"]:
        store(*sys.argv[2:])
        return
    given = load_yaml(TEMPLATE)["Globals"]["Function"]["MemorySize"]
    cpu = {f"{size} MP": {kind: layers(size, kind) for kind in CONVERTED_TO} for size in (1, 4)}
    for size, kinds in cpu.items():
        for kind, figures in kinds.items():
            print(f"{size} {kind}: " + ", ".join(f"{name} {figure:g}" for name, figure in figures.items()))
    peaks = {f"{way} {kind}": round(peak_of_poll(way, kind)) for way, kind in STORED}
    print(f"poll, {PICTURES} pictures of 8 MP, MB of {given}: {peaks}")
    print(json.dumps({"cpu_ms": cpu, "poll_mb": peaks, "poll_mb_most": max(peaks.values()), "memory_mb": given}))
    sys.exit(max(peaks.values()) > given)


if __name__ == "__main__":
    main()
