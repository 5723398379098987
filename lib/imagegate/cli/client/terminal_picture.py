"""A picture in the terminal: as kitty or iTerm2 draw it, or as half-blocks of colour."""

import base64
import io
import os
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.text import Text

_CHUNK = 4096
"""Characters of base64 in one of kitty's escape sequences."""
_PIXELS = 512
"""Of the longer side of what is sent to a terminal."""
_ROWS = 20
"""Lines that a picture takes at most."""


class Protocol(StrEnum):
    """How a terminal shows a picture."""

    KITTY = "kitty"
    ITERM = "iterm"
    BLOCKS = "blocks"
    NONE = "none"


def protocol(environment: Mapping[str, str]) -> Protocol:
    """What the terminal can do, by its variables; IMAGEGATE_PICTURES has the last word.

    Asking the terminal itself would swallow what is typed meanwhile.
    """
    chosen = environment.get("IMAGEGATE_PICTURES", "")
    if chosen in tuple(Protocol):
        return Protocol(chosen)
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if term in ("", "dumb") or "NO_COLOR" in environment:
        return Protocol.NONE
    if term.startswith(("screen", "tmux")):  # they pass no pictures on
        return Protocol.BLOCKS
    if "kitty" in term or "ghostty" in term or "KITTY_WINDOW_ID" in environment or "KONSOLE_VERSION" in environment:
        return Protocol.KITTY
    return Protocol.ITERM if program in ("iTerm.app", "WezTerm", "mintty") else Protocol.BLOCKS


def show(body: bytes, out: TextIO = sys.stderr, environment: Mapping[str, str] = os.environ) -> None:
    """Show a picture, if `out` is a terminal that can. A file that Pillow cannot read is left out."""
    kind = protocol(environment) if out.isatty() else Protocol.NONE
    if kind is Protocol.NONE:
        return
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(body)) as image:
            picture = image.convert("RGB")
    except (UnidentifiedImageError, OSError):
        return
    if kind is Protocol.BLOCKS:
        _print_blocks(picture)
    else:
        picture.thumbnail((_PIXELS, _PIXELS))
        out.write("".join(_kitty(_png(picture)) if kind is Protocol.KITTY else _iterm(_png(picture))) + "\n")
        out.flush()


def _png(picture: "Image") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _kitty(png: bytes) -> Iterator[str]:
    text = base64.b64encode(png).decode()
    for start in range(0, len(text), _CHUNK):
        more = int(start + _CHUNK < len(text))
        head = f"a=T,f=100,q=2,r={_ROWS},m={more}" if start == 0 else f"m={more}"
        yield f"\x1b_G{head};{text[start : start + _CHUNK]}\x1b\\"


def _iterm(png: bytes) -> Iterator[str]:
    yield f"\x1b]1337;File=inline=1;size={len(png)};height={_ROWS}:{base64.b64encode(png).decode()}\x07"


def _print_blocks(picture: "Image") -> None:
    from rich.console import Console

    console = Console(stderr=True)
    columns = min(console.width - 1, 2 * _ROWS * picture.width // picture.height)
    columns = max(columns, 1)
    rows = max(columns * picture.height // picture.width // 2, 1)
    for line in _blocks(picture.resize((columns, 2 * rows))):
        console.print(line, no_wrap=True)


def _blocks(picture: "Image") -> "Iterator[Text]":
    """Lines of ▀, whose foreground is the upper of two pixels and whose background the lower."""
    from rich.text import Text

    pixels = picture.tobytes()
    width = picture.width
    colours = [f"#{pixels[start : start + 3].hex()}" for start in range(0, len(pixels), 3)]
    for row in range(0, picture.height, 2):
        upper, lower = colours[row * width : (row + 1) * width], colours[(row + 1) * width : (row + 2) * width]
        cells = (("▀", f"{above} on {below}") for above, below in zip(upper, lower, strict=True))
        yield Text.assemble(*cells)
