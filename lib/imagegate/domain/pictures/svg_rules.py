"""What an SVG picture may hold: drawing, and nothing that runs, loads or refers outside the file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from imagegate.domain.pictures.container import DamagedPicture

LARGEST = 8 * 1024 * 1024
"""Bytes."""
_MOST_ELEMENTS = 200_000
_DEEPEST = 200
_LARGEST_SIDE = 100_000
_SVG, _XHTML, _EVENTS = (
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1999/xhtml",
    "http://www.w3.org/2001/xml-events",
)
_FORBIDDEN = frozenset(
    {
        "script", "handler", "listener", "foreignobject", "iframe", "embed", "object", "audio", "video", "canvas",
        "link", "meta", "base", "form", "input",
    }
)  # fmt: skip
"""Names of elements, in lower case and whatever their namespace."""
_REFERENCES = frozenset({"href", "src", "base", "action", "data", "from", "to", "values", "by"})
"""Attributes that may hold an address, those of animations included."""
_OWN = re.compile(r"#|data:image/(?:png|jpe?g|webp|gif);base64,", re.IGNORECASE)
_ADDRESS = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:|//|\\)", re.IGNORECASE)
_CSS = re.compile(
    r"@import|expression|javascript|-moz-binding|behavior|\\|url\((?!\s*['\"]?\s*(?:#|data:image/(?!svg)))",
    re.IGNORECASE,
)
_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?)(?:px)?\s*")


class UnsafePicture(ValueError):
    """The file holds what a picture must not hold; the message names it."""


def inspect_svg(body: bytes) -> tuple[int, int]:
    """The width and height that the file gives, 1 at least; 0 for those that it leaves open.

    Raises DamagedPicture, and UnsafePicture for scripts, addresses outside of the file, entities and the like.
    """
    if len(body) > LARGEST:
        raise UnsafePicture(f"more than {LARGEST} bytes")
    # UTF-8 whatever it declares: a browser must not read another text than was checked.
    parser, checker = expat.ParserCreate("utf-8", " "), _Checker()
    parser.StartElementHandler, parser.EndElementHandler = checker.start, checker.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = checker.text, checker.doctype
    parser.ProcessingInstructionHandler, parser.XmlDeclHandler = checker.instruction, checker.declaration
    parser.buffer_text = True
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise DamagedPicture("SVG") from error
    return checker.size


@dataclass(slots=True)
class _Checker:
    size: tuple[int, int] = (0, 0)
    _elements: int = 0
    _path: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if not self._path:
            if (namespace, local) != (_SVG, "svg"):
                raise DamagedPicture("no SVG root")
            self.size = _size(attributes)
        self._elements += 1
        self._path.append(local.lower())
        if local.lower() in _FORBIDDEN or namespace in (_XHTML, _EVENTS):
            raise UnsafePicture(f"an element <{local[:40]}>")
        if self._elements > _MOST_ELEMENTS or len(self._path) > _DEEPEST:
            raise UnsafePicture("too many elements")
        for key, value in attributes.items():
            _check_attribute(key.rpartition(" ")[2].lower(), value, in_metadata="metadata" in self._path)

    def end(self, name: str) -> None:
        self._path.pop()

    def text(self, text: str) -> None:
        if self._path[-1:] == ["style"] and _CSS.search(text):
            raise UnsafePicture("a style that loads something")

    def doctype(self, *_: object) -> None:
        raise UnsafePicture("a document type, which may define entities")

    def instruction(self, target: str, _: str) -> None:
        if target.lower() != "xpacket":
            raise UnsafePicture(f"an instruction <?{target[:40]}?>")

    def declaration(self, _: str, encoding: str | None, __: int) -> None:
        if encoding and encoding.lower() != "utf-8":
            raise UnsafePicture("an encoding other than UTF-8")


def _check_attribute(name: str, value: str, *, in_metadata: bool) -> None:
    if name.startswith("on"):
        raise UnsafePicture(f"an event handler {name[:40]}")
    if name == "attributename" and (value.lower().rpartition(":")[2] == "href" or value.lower().startswith("on")):
        raise UnsafePicture("an animated address")
    if in_metadata:  # names of licences and creators, which lead nowhere by themselves
        return
    if name in _REFERENCES and _ADDRESS.match(value) and not _OWN.match(value.strip()):
        raise UnsafePicture("an address outside of the file")
    if name == "href" and not _OWN.match(value.strip()):
        raise UnsafePicture("an address outside of the file")
    if ("(" in value and _CSS.search(value)) or (name == "style" and _CSS.search(value)):
        raise UnsafePicture("a style that loads something")


def _size(attributes: Mapping[str, str]) -> tuple[int, int]:
    """By `width` and `height`, or else by `viewBox`."""
    lengths = [_LENGTH.fullmatch(attributes.get(name, "")) for name in ("width", "height")]
    numbers = [float(length[1]) for length in lengths if length]
    if len(numbers) < 2:
        box = [_LENGTH.fullmatch(part) for part in attributes.get("viewBox", "").replace(",", " ").split()[2:4]]
        numbers = [float(part[1]) for part in box if part]
    if len(numbers) < 2:
        return 0, 0
    if max(numbers) > _LARGEST_SIDE:
        raise UnsafePicture(f"a side of more than {_LARGEST_SIDE}")
    return max(1, round(numbers[0])), max(1, round(numbers[1]))
