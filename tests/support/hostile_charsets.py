"""Hostile requests whose texts are not UTF-8, or say so: in forms, their parts, JSON, paths, queries and headers."""

import codecs
import encodings.aliases
import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote_from_bytes

from support.hostile_corpus import PATHS, ROADS, part, png

Parts = tuple[str, str, str, dict[str, str], tuple[str, bytes]]
CODECS = sorted(
    {*encodings.aliases.aliases.values(), "idna", "punycode", "undefined", "unicode_escape", "utf-8-sig", "é"}
)
"""Every codec that Python has, those among them that fail in ways of their own."""
ODD = [
    "a\ud800",
    "\x9b2J",
    "\u202ea",
    "a\u2028b",
    "\x85",
    "a-" * 200_000,
    "+2AA-",
    "\\ud800",
    "\ufffe",
    "é",
    "кот",
    "👩‍👧",
]
_ENCODED = ("utf-8", "utf-16", "utf-32", "latin-1", "utf-7", "cp037", "shift_jis", "gb18030")


def _encoded(random: Random, text: str) -> bytes:
    codec = random.choice(_ENCODED)
    return text.encode(codec, "surrogatepass" if codec.startswith("utf-") and codec != "utf-7" else "replace")


def _bytes(random: Random) -> bytes:
    return _encoded(random, random.choice(ODD))


def _claim(random: Random) -> str:
    codec = random.choice(CODECS)
    return random.choice(("", f"; charset={codec}", f'; charset="{codec}"', f"; charset*=utf-8''{codec}"))


def charset_of_a_form(random: Random, mark: str) -> Parts:
    """A form that names a charset at one of four places, with texts that are odd in it."""
    codec = random.choice(CODECS)
    parts = [part("prompt", mark.encode()), part("image", png(8, 8), "x.png")]
    parts += random.choice(
        (
            [],
            [part("_charset_", codec.encode())],
            [part("user", _bytes(random), more=f"Content-Type: text/plain{_claim(random)}\r\n")],
            [
                part(
                    "user",
                    codecs.encode(b"x", random.choice(("base64", "quopri", "uu"))),
                    more="Content-Transfer-Encoding: base64\r\n",
                )
            ],
            [f"Content-Disposition: form-data; name*={codec}''%ff; filename*={codec}''%ff\r\n\r\nx\r\n".encode()],
            [part(f"f{at}", _bytes(random)) for at in range(4)],
        )
    )
    random.shuffle(parts)
    body = b"".join(b"--b\r\n" + part for part in parts) + b"--b--\r\n"
    return "POST", "/v1/images/edits", "", {}, (f"multipart/form-data; boundary=b{_claim(random)}", body)


def charset_of_a_body(random: Random, mark: str) -> Parts:
    """JSON in some charset, said to be in another."""
    path = random.choice(list(ROADS))
    document = ROADS[path](mark)
    document[random.choice([*document, "user", "webhook"])] = random.choice([*ODD, "[" * 50_000, '{"url":"\\ud800"}'])
    text = json.dumps(document, ensure_ascii=random.random() < 0.5)
    body = _encoded(random, text)
    kind = random.choice(("application/json", "text/plain", "application/x-www-form-urlencoded", "application/xml"))
    return "POST", path, "", {}, (kind + _claim(random), body)


def charset_of_a_target(random: Random, mark: str) -> Parts:
    """A path, a query and ids in headers of any bytes."""
    path, query = random.choice(PATHS), f"model={quote_from_bytes(_bytes(random)[:200])}&x=%"
    path += random.choice(("", "/")) + quote_from_bytes(_bytes(random)[:200])
    name = random.choice(("idempotency-key", "x-client-request-id", "x-data-logging-enabled", "x-imagegate-expand"))
    headers = {name: random.choice([entry for entry in ODD if entry.isprintable() or "\ud800" not in entry])[:300]}
    if random.random() < 0.5:
        road = random.choice(list(ROADS))
        return "POST", road, query, headers, ("application/json", json.dumps(ROADS[road](mark)).encode())
    return random.choice(("GET", "POST", "DELETE")), path, query, headers, ("", b"")


MAKERS: list[Callable[[Random, str], Parts]] = [charset_of_a_form, charset_of_a_body, charset_of_a_target]
