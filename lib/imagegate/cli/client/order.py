"""What `imagegate generate` asks the gateway for."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagegate.cli.client.exits import CommandError
from imagegate.cli.client.gateway import GatewayClient

LARGEST_PICTURES = 4_400_000
"""Bytes of pictures that one request to Lambda has room for."""
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
    """Pictures to work from: files, or https addresses."""
    mask: str = ""

    def start(self, client: GatewayClient) -> dict[str, Any]:
        """Start it; the operation. A lost answer starts no second one. Raises CommandError."""
        headers = {_REPEATABLE: secrets.token_hex(16)}
        pictures = _Pictures.read(self.inputs, self.mask)  # before anything else: a file may be missing
        if not pictures.parts:
            body = self._fields() | {"model": self.model or _first_model(client)}
            return dict(client.post("/v1/operations", json=body, headers=headers))
        fields = self._fields() | ({"model": self.model} if self.model else {})
        form = {name: str(value) for name, value in fields.items()}
        headers |= {"prefer": "respond-async"}
        parts = pictures.parts
        return dict(client.post("/v1/images/edits", data=form, files=parts, headers=headers))

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
    """Pictures of a request, as parts of a form. Here larger ones can be uploaded first."""

    parts: list[tuple[str, tuple[str | None, bytes | str]]]

    @classmethod
    def read(cls, inputs: Sequence[str], mask: str) -> "_Pictures":
        if mask and not inputs:
            raise CommandError("A mask needs the picture that it is for. Give it with -i.")
        named = [*(("image", each) for each in inputs), *([("mask", mask)] if mask else [])]
        parts = [_part(name, each) for name, each in named]
        size = sum(len(body) for _, (_, body) in parts)
        if size > LARGEST_PICTURES:
            raise CommandError(
                f"The pictures have {size / 1e6:.1f} MB, and a request takes {LARGEST_PICTURES / 1e6:.1f} MB. "
                "Make them smaller, or give their https addresses."
            )
        return cls(parts)


def _part(name: str, picture: str) -> tuple[str, tuple[str | None, bytes | str]]:
    """A part of the form: a file, or the text of an address."""
    if picture.startswith(("https://", "http://")):
        return name, (None, picture)
    path = Path(picture).expanduser()
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
