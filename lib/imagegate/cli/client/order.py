"""What `imagegate generate` asks the gateway for."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagegate.cli.client.exits import CommandError
from imagegate.cli.client.gateway import GatewayClient
from imagegate.domain.pictures.headers import content_type_of

LARGEST_FORM = 4_000_000
"""Bytes of pictures in a form; more are uploaded first, because Lambda takes about 4.5 MB."""
_REPEATABLE = "idempotency-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOrder:
    """A prompt and its options; `None` and empty ones are left to the gateway."""

    prompt: str
    model: str = ""
    n: int = 1
    size: str = ""
    seed: int | None = None
    negative_prompt: str = ""
    output_format: str | None = None
    inputs: Sequence[str] = ()
    """Input pictures: files, or https addresses."""
    mask: str = ""

    def start(self, client: GatewayClient) -> dict[str, Any]:
        """Start it; the operation. A lost answer starts no second one. Raises CommandError."""
        headers = {_REPEATABLE: secrets.token_hex(16)}
        pictures = _Pictures.read(self.inputs, self.mask)  # before anything else: a file may be missing
        if not pictures.parts:
            body = self._fields() | {"model": self.model or _first_model(client)}
            return dict(client.post("/v1/operations", json=body, headers=headers))
        fields = self._fields() | ({"model": self.model} if self.model else {})
        headers |= {"prefer": "respond-async"}
        return dict(client.post("/v1/images/edits", headers=headers, **pictures.with_fields(fields, client)))

    def _fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "prompt": self.prompt,
            "n": self.n,
            "size": self.size,
            "seed": self.seed,
            "negative_prompt": self.negative_prompt,
            "output_format": self.output_format,
        }
        return {name: value for name, value in fields.items() if value not in (None, "")}


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Pictures of a request, as parts of a form."""

    parts: list[tuple[str, tuple[str | None, bytes | str]]]

    @classmethod
    def read(cls, inputs: Sequence[str], mask: str) -> "_Pictures":
        if mask and not inputs:
            raise CommandError("A mask needs the picture that it is for. Give it with -i.")
        named = [*(("image", each) for each in inputs), *([("mask", mask)] if mask else [])]
        return cls([_part(name, each) for name, each in named])

    def with_fields(self, fields: dict[str, Any], client: GatewayClient) -> dict[str, Any]:
        """The request: a form, or JSON with the ids of uploads when the form would be too large."""
        if sum(len(body) for _, (_, body) in self.parts) <= LARGEST_FORM:
            return {"data": {name: str(value) for name, value in fields.items()}, "files": self.parts}
        references = [(name, _reference(part, client)) for name, part in self.parts]
        images = [reference for name, reference in references if name == "image"]
        masks = {name: reference for name, reference in references if name == "mask"}
        return {"json": {**fields, "images": images, **masks}}


def _reference(part: tuple[str | None, bytes | str], client: GatewayClient) -> dict[str, str]:
    """What stands for a picture in JSON: its address, or the id of its upload."""
    name, body = part
    if isinstance(body, str):
        return {"image_url": body}
    content_type = content_type_of(body)
    if content_type is None:
        raise CommandError(f"{name} is not a PNG, JPEG or WebP picture.")
    return {"upload": client.upload(body, content_type)}


def _part(name: str, picture: str) -> tuple[str, tuple[str | None, bytes | str]]:
    """A part of the form: a file, or the text of an address."""
    if picture.startswith(("https://", "http://")):
        return name, (None, picture)
    path = Path(os.path.expanduser(picture))
    try:
        return name, (path.name, path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None


def _first_model(client: GatewayClient) -> str:
    """The first model that can be used."""
    found = client.get("/v1/models")["data"]
    if not found:
        raise CommandError("This key may use no model of this gateway. Ask for another key.")
    return str(next((model["id"] for model in found if model.get("available", True)), found[0]["id"]))
