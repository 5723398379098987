"""The stream of OpenAI's Images API: partial pictures while the work goes on, then the pictures.

Contract: docs/protocols/openai-images.md#streams.
"""

import asyncio
import base64
import io
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageFilter

from imagegate.local.upstreams.drawing.drawing import encode
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.faults import Torn
from imagegate.local.upstreams.openai.profile import extras
from imagegate.local.upstreams.openai.requests import ImagesRequest, OpenAIError

BLUR = 0.08
"""Radius of the first partial picture's blur, as a share of its shorter side."""
STREAM_ERRORS = ("error", "refuse-late")
PARTIAL_TOKENS = 100
"""Image tokens that a partial picture costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStream:
    """The answer to one request; its delay is spread evenly over its pictures."""

    generation: ImagesRequest
    pictures: list[PictureSpec]
    delay: float
    """Seconds."""
    fault: str | None
    hang: float
    """Seconds for which it is held where it hangs."""
    error: OpenAIError
    """What `[fault error]` and `[fault refuse-late]` end it with."""

    async def events(self) -> AsyncIterator[bytes]:
        """The events, torn or ended early where a fault says so."""
        count = self.generation.partial_images
        pause = self.delay / (count + 1)
        for index in range(count):
            await asyncio.sleep(pause)
            yield await self.partial(index)
            if self.fault == "drop":
                raise Torn
            if self.fault == "accepted-then-hang":
                await asyncio.sleep(self.hang)
        await asyncio.sleep(pause)
        if self.fault in STREAM_ERRORS:
            yield event("error", {"type": "error", **self.error.body})
        elif self.fault != "no-image":
            for at, picture in enumerate(self.pictures):
                last = at == len(self.pictures) - 1
                yield event(*self.tell("completed", await picture.file(), usage=self.usage() if last else None))

    async def partial(self, index: int) -> bytes:
        """One partial picture; the more of them came before, the clearer it is."""
        left = 1 - index / self.generation.partial_images
        body = await asyncio.to_thread(blurred, await self.pictures[0].file(), left, self.generation)
        kind, fields = self.tell("partial_image", body, partial_image_index=index)
        return event(kind, fields | ({"b64_json": "!not base64!"} if self.fault == "bad-partial" else {}))

    def tell(self, step: str, body: bytes, **more: Any) -> tuple[str, dict[str, Any]]:
        """An event's name and data."""
        family = "image_edit" if self.generation.inputs else "image_generation"
        extra = extras(self.generation)
        named = {name: extra[name] for name in ("size", "background", "output_format")}
        data = {"b64_json": base64.b64encode(body).decode(), "created_at": int(time.time()), "quality": "high"}
        kind = f"{family}.{step}"
        return kind, {
            "type": kind,
            **named,
            **data,
            **{name: value for name, value in more.items() if value is not None},
        }

    def usage(self) -> dict[str, Any]:
        """The tokens of all pictures, partial ones included."""
        usage = dict(extras(self.generation)["usage"])
        more = PARTIAL_TOKENS * self.generation.partial_images
        return usage | {name: usage[name] + more for name in ("output_tokens", "total_tokens")}


def event(name: str, data: Any) -> bytes:
    """One event of the stream."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def blurred(file: bytes, left: float, generation: ImagesRequest) -> bytes:
    """The picture as it looks while a share `left` of the work is to be done; other bytes stay as they are."""
    try:
        with Image.open(io.BytesIO(file)) as picture:
            radius = BLUR * left * min(picture.size)
            return encode(picture.convert("RGB").filter(ImageFilter.GaussianBlur(radius)), generation.format)
    except OSError:
        return file
