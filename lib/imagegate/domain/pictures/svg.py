"""SVG: XML text (SVG 2). Metadata is an element of its own."""

import re
from dataclasses import dataclass
from xml.parsers import expat

from imagegate.domain.pictures.container import DamagedPicture, Metadata

_PACKET = re.compile(rb"<(\w+:)?xmpmeta\b.*?</(\w+:)?xmpmeta\s*>", re.DOTALL)
_MANIFEST = re.compile(rb"<(\w+:)?manifest\b[^>]*>")
_NAMESPACE = "http://www.w3.org/2000/svg"


@dataclass(slots=True)
class _Root:
    name: str = ""
    at: int = -1


def read_metadata(body: bytes) -> Metadata:
    """The marks of origin in the file."""
    _end_of_root_tag(body)
    packet = _PACKET.search(body)
    return Metadata(packet[0] if packet else None, bool(_MANIFEST.search(body)) and b"c2pa" in body)


def with_xmp(body: bytes, packet: bytes) -> bytes:
    """The file with `packet` in place of its XMP packet, or first of all elements."""
    bare = re.sub(rb"<\?xpacket[^>]*\?>", b"", packet)
    found = _PACKET.search(body)
    if found:
        return body[: found.start()] + bare + body[found.end() :]
    at = _end_of_root_tag(body)
    return body[:at] + b'<metadata xmlns="%s">%s</metadata>' % (_NAMESPACE.encode(), bare) + body[at:]


def _end_of_root_tag(body: bytes) -> int:
    """Where the content of the root element begins. Raises DamagedPicture for anything but an SVG with content."""
    parser, root = expat.ParserCreate(namespace_separator=" "), _Root()

    def begin(name: str, attributes: object) -> None:
        if root.at < 0:
            root.name, root.at = name, parser.CurrentByteIndex

    parser.StartElementHandler = begin
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError) as error:
        raise DamagedPicture("SVG") from error
    tag = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""").match(body, max(root.at, 0))
    if root.name.rpartition(" ")[2] != "svg" or not tag or tag[0].endswith(b"/>"):
        raise DamagedPicture("SVG root")
    return tag.end()
