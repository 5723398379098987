"""Forms with files (multipart/form-data, RFC 7578). A form that is not UTF-8 is refused before it is decoded.

A request never chooses the codec: some of Python's raise unusual errors, and one takes seconds for a megabyte.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from imagegate.domain.characters import find_forbidden
from imagegate.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})
_LATIN = frozenset({"iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252"})
"""Some clients (Apache's for Java) give these for every field. A field is accepted if it is ASCII, and so UTF-8."""
_PLAIN = frozenset({"", "7bit", "8bit", "binary"})
_CHARSET_FIELD = "_charset_"
"""The field that names the charset of all others (RFC 7578 §4.6)."""
_ENCODED_FILENAME = re.compile(r";\s*filename\*[0-9]*\*?\s*=[^;]*", re.IGNORECASE)
"""A name in RFC 5987's or 2231's encoding, which the parser leaves out."""
_LONGEST_NAME = 100
_LARGEST_FIELD = 1024 * 1024
MOST_FIELDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A field or a file."""

    name: str
    is_file: bool
    body: bytes
    charset: str = ""
    """The part's own charset, in lower case."""
    filename: bytes = b""
    """As it was sent. It is never read, because browsers and programs encode it in any way."""

    @property
    def text(self) -> str:
        """The text of a field. Raises InvalidRequest when it is not UTF-8 or names another charset."""
        if self.charset not in _UTF8 and not (self.charset in _LATIN and self.body.isascii()):
            raise _wrong_charset(f"The form's '{self.name}'")
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            raise InvalidRequest(f"The form's '{self.name}' is not UTF-8.", param=self.name) from None


def is_form(content_type: str) -> bool:
    """True when a body of that type is a form with files."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def parse_form(content_type: str, body: bytes, most_files: int) -> list[Part]:
    """Parse the parts of a form, in their order. Raises InvalidRequest."""
    _, options = parse_options_header(content_type)
    if _charset_in(options) not in _UTF8:
        raise _wrong_charset("The form")
    if not options.get(b"boundary"):
        raise InvalidRequest(
            "The Content-Type of the form names no boundary.", remedy="Let the HTTP client set Content-Type itself."
        )
    reader = _Reader(most_files=most_files)
    try:
        parser = MultipartParser(options[b"boundary"], reader.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise _unreadable("it does not follow RFC 7578") from None
    if not reader.ended:
        raise _unreadable("its last part is not complete")
    return reader.parts


def is_url_encoded(content_type: str, body: bytes) -> bool:
    """True for `a=b&c=d`. curl and others give JSON the same type, which begins with a brace."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/x-www-form-urlencoded" and b"=" in body and not body.lstrip().startswith((b"{", b"["))


def parse_url_encoded(body: bytes) -> list[Part]:
    """Parse the fields of `a=b&c=d`, in their order. Raises InvalidRequest."""
    try:
        fields = parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        names = [(name.decode(), value) for name, value in fields]
    except ValueError:
        raise _unreadable(f"it is not UTF-8, or has more than {MOST_FIELDS} fields") from None
    for name, _ in names:
        _require_name(name)
    return [Part(name=name, is_file=False, body=value) for name, value in names]


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Collects the parser's parts, and refuses too many or too large ones before it stores them."""

    most_files: int
    parts: list[Part] = field(default_factory=list)
    ended: bool = False
    _name: bytes = b""
    _value: bytes = b""
    _headers: dict[bytes, str] = field(default_factory=dict)
    _body: bytearray = field(default_factory=bytearray)
    _field: str = ""
    _is_file: bool = False
    _filename: bytes = b""

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self.on_part_begin,
            "on_header_field": self.on_header_field,
            "on_header_value": self.on_header_value,
            "on_header_end": self.on_header_end,
            "on_headers_finished": self.on_headers_finished,
            "on_part_data": self.on_part_data,
            "on_part_end": self.on_part_end,
            "on_end": self.on_end,
        }

    def on_part_begin(self) -> None:
        self._headers, self._body = {}, bytearray()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._headers[self._name.lower()] = self._value.decode("latin-1")
        self._name = self._value = b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._field = _name_in(options)
        encoded = _ENCODED_FILENAME.search(self._headers.get(b"content-disposition", ""))
        self._filename = options.get(b"filename", b"") or (encoded[0].encode("latin-1") if encoded else b"")
        self._is_file = b"filename" in options or encoded is not None or self._has_picture_type()
        if self._headers.get(b"content-transfer-encoding", "").strip().lower() not in _PLAIN:
            raise _unreadable(f"'{self._field}' has a Content-Transfer-Encoding")
        most = self.most_files if self._is_file else MOST_FIELDS
        if sum(part.is_file == self._is_file for part in self.parts) >= most:
            raise _unreadable(f"it has more than {most} {'files' if self._is_file else 'fields'}")

    def _has_picture_type(self) -> bool:
        kind = self._headers.get(b"content-type", "").strip().lower()
        return kind.startswith(("image/", "application/octet-stream"))

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file and len(self._body) + end - start > _LARGEST_FIELD:
            raise _unreadable(f"'{self._field}' has more than {_LARGEST_FIELD} bytes")
        self._body += data[start:end]

    def on_part_end(self) -> None:
        charset = _charset_in(parse_options_header(self._headers.get(b"content-type"))[1])
        part = Part(
            name=self._field,
            is_file=self._is_file,
            body=bytes(self._body),
            charset=charset,
            filename=self._filename,
        )
        if part.name == _CHARSET_FIELD and part.text.strip().lower() not in _UTF8:
            raise _wrong_charset("The form")
        self.parts.append(part)

    def on_end(self) -> None:
        self.ended = True


def _name_in(options: Mapping[bytes, bytes]) -> str:
    """The name of a part. Raises InvalidRequest when it is missing or must not appear in an answer."""
    try:
        name = options[b"name"].decode()
    except (KeyError, UnicodeDecodeError):
        raise _unreadable("a part has no name in UTF-8") from None
    return _require_name(name)


def _require_name(name: str) -> str:
    if len(name) > _LONGEST_NAME or find_forbidden(name, one_line=True):
        raise _unreadable(f"a part's name is longer than {_LONGEST_NAME} characters, or holds a forbidden one")
    return name


def _charset_in(options: Mapping[bytes, bytes]) -> str:
    return options.get(b"charset", b"").decode("latin-1").strip().lower()


def _wrong_charset(subject: str) -> InvalidRequest:
    return InvalidRequest(
        f"{subject} names a charset that is not accepted.", remedy="Send UTF-8, and name no other charset."
    )


def _unreadable(why: str) -> InvalidRequest:
    return InvalidRequest(f"The form cannot be read: {why}.")
