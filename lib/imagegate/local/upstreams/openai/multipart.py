"""Reads a multipart/form-data body (RFC 7578), as far as stand-ins need it, without one more package."""

from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form."""

    name: str
    body: bytes
    is_file: bool


def read_form(content_type: str, body: bytes) -> list[Part]:
    """The fields in their order; none when the content type names no boundary."""
    boundary = headers_of(f"Content-Type: {content_type}").get_boundary()
    if not boundary:
        return []
    # The first piece is a preamble, the last one the closing dashes.
    return [read_part(piece) for piece in body.split(b"--" + boundary.encode())[1:-1]]


def read_part(piece: bytes) -> Part:
    """A field from what stands between two boundaries."""
    head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = headers_of(head.decode("utf-8", "replace"))
    name = headers.get_param("name", "", "content-disposition")
    return Part(str(name), content.removesuffix(b"\r\n"), headers.get_filename() is not None)


def headers_of(text: str) -> Message:
    """Header lines, parsed."""
    return HeaderParser().parsestr(text)
