"""XMP packets (ISO 16684-1): how a picture came about, in the words of IPTC Photo Metadata 2025.1."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""IPTC's vocabulary of what a picture was made by."""
MADE_BY_MODEL = f"{SOURCE_TYPES}trainedAlgorithmicMedia"
EDITED_BY_MODEL = f"{SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"
"""A part of the caller's picture stayed."""
_NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "imagegate": "urn:imagegate:provenance:1.0#",
}
_RDF = f"{_NAMESPACES['rdf']} RDF"
_LONGEST_PROMPT = 8000
"""Characters: JPEG has room for 64 KiB."""
_LARGEST = 256 * 1024
"""Bytes of a packet that is read."""
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""
_END = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?RDF\s*>")
_ABOUT = re.compile(rb"""\babout\s*=\s*(?:"([^"<]*)"|'([^'<"]*)')""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What is said of a picture's making."""

    provider: str
    model: str
    """The upstream's own name of the model."""
    operation: str
    """Id of the operation."""
    made_at: float
    """Seconds since the epoch."""
    generator: str
    edited: bool = False
    """True when the model filled in a part of the caller's picture."""
    prompt: str | None = None
    """`None`: the prompt is not told."""

    @property
    def digital_source_type(self) -> str:
        """The word for it in IPTC's vocabulary."""
        return EDITED_BY_MODEL if self.edited else MADE_BY_MODEL


def build_packet(origin: Origin) -> bytes:
    """A packet that says where the picture comes from."""
    return b"".join(
        (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode(),
            b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="%s">' % _NAMESPACES["rdf"].encode(),
            _description(_properties(origin), b""),
            b'</rdf:RDF></x:xmpmeta><?xpacket end="w"?>',
        )
    )


def merge_packet(packet: bytes, origin: Origin) -> bytes:
    """An upstream's packet with what it does not say of the picture's making; the same packet if it says all.

    Raises ValueError for a packet that cannot be read.
    """
    known = read_properties(packet)
    ends = [found.start() for found in _END.finditer(packet)]
    if not ends:
        raise ValueError("no RDF in the packet")
    missing = {name: value for name, value in _properties(origin).items() if _full(name) not in known}
    if not missing:
        return packet
    about = _ABOUT.search(packet)
    value = next(filter(None, about.groups()), b"") if about else b""
    return packet[: ends[-1]] + _description(missing, value) + packet[ends[-1] :]


def read_source_type(packet: bytes) -> str | None:
    """The digital source type that a packet gives, by its address."""
    try:
        return read_properties(packet).get(_full("Iptc4xmpExt:DigitalSourceType"))
    except ValueError:
        return None


def read_properties(packet: bytes) -> dict[str, str]:
    """The properties of a packet by namespace, space and name; a structure counts with the text in it.

    Raises ValueError for anything but XML in UTF-8 with RDF in it, and for a document type, which XMP does not have.
    """
    if len(packet) > _LARGEST:
        raise ValueError("a packet of more than 256 KiB")
    from xml.parsers import expat  # late, because every function's cold start loads this module

    parser, reader = expat.ParserCreate("utf-8", " "), _Reader()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = reader.text, reader.doctype
    try:
        parser.Parse(packet.strip(b"\x00"), True)
    except expat.ExpatError as error:
        raise ValueError("no XML in the packet") from error
    if not reader.has_rdf:
        raise ValueError("no RDF in the packet")
    return {name: value.strip() for name, value in reader.properties.items()}


@dataclass(slots=True)
class _Reader:
    """Collects the properties of every description."""

    properties: dict[str, str] = field(default_factory=dict)
    has_rdf: bool = False
    _path: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.has_rdf = self.has_rdf or name == _RDF
        if self._path[-1:] == [_RDF]:
            self.properties |= {key: value for key, value in attributes.items() if key != f"{_NAMESPACES['rdf']} about"}
        elif self._path[-2:-1] == [_RDF]:
            self.properties.setdefault(name, attributes.get(f"{_NAMESPACES['rdf']} resource", ""))
        self._path.append(name)

    def text(self, text: str) -> None:
        if _RDF in self._path[:-2]:
            name = self._path[self._path.index(_RDF) + 2]
            self.properties[name] = self.properties.get(name, "") + text

    def end(self, name: str) -> None:
        self._path.pop()

    def doctype(self, *_: object) -> None:
        raise ValueError("a document type in the packet")


def _properties(origin: Origin) -> Mapping[str, str]:
    properties = {
        "Iptc4xmpExt:DigitalSourceType": origin.digital_source_type,
        "Iptc4xmpExt:AISystemUsed": f"{origin.model} ({origin.provider})",
        "xmp:CreatorTool": origin.generator,
        "xmp:CreateDate": datetime.fromtimestamp(origin.made_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "imagegate:Provider": origin.provider,
        "imagegate:Model": origin.model,
        "imagegate:Operation": origin.operation,
    }
    if origin.prompt is not None:
        properties["Iptc4xmpExt:AIPromptInformation"] = origin.prompt[:_LONGEST_PROMPT]
    return properties


def _description(properties: Mapping[str, str], about: bytes) -> bytes:
    """An rdf:Description with its namespaces, so that it may stand in any packet."""
    from xml.sax.saxutils import quoteattr

    prefixes = dict.fromkeys(["rdf", *(name.partition(":")[0] for name in properties)])
    namespaces = "".join(f' xmlns:{prefix}="{_NAMESPACES[prefix]}"' for prefix in prefixes)
    values = "".join(f" {name}={quoteattr(_ILLEGAL.sub('', value))}" for name, value in properties.items())
    return b'<rdf:Description%s rdf:about="%s"%s/>' % (namespaces.encode(), about, values.encode())


def _full(name: str) -> str:
    """A prefixed name with its namespace in place of the prefix."""
    prefix, _, local = name.partition(":")
    return f"{_NAMESPACES[prefix]} {local}"
