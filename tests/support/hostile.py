"""Hostile requests, as API Gateway would hand them on: a corpus, bent at random; the same ones for the same seed."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from imagegate.domain.webhooks.webhook import SIGNATURE_HEADER, USER_AGENT
from support import hostile_charsets
from support.hostile_corpus import (
    HEADERS,
    METHODS,
    ODD_PARTS,
    OPERATION_ID,
    PATHS,
    PICTURES,
    QUERIES,
    RAW_JSON,
    ROADS,
    TEXTS,
    VALUES,
    data_url,
    part,
)

Event = dict[str, Any]
Content = tuple[str, bytes]
"""Content type and body."""

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Hostile:
    """One request."""

    kind: str
    """What is wrong with it."""
    event: Event
    mark: str
    """Its prompt, which no log may hold."""


def requests(seed: int, count: int, key: str) -> Iterator[Hostile]:
    """`count` requests; most of them present the API key `key`."""
    random = Random(seed)
    for at in range(count):
        mark = f"xyzzy{seed}q{at}"
        kind = random.choice(list(KINDS))
        method, path, query, headers, (content_type, body) = KINDS[kind](random, mark)
        if random.random() < 0.95:
            headers = {"authorization": f"Bearer {key}", **headers}
        headers = {"host": "api.invalid", "content-type": content_type, **headers}
        yield Hostile(kind, _event(random, method, path, query, headers, body), mark)


Parts = tuple[str, str, str, dict[str, str], Content]
"""Method, raw path, raw query, headers, content."""


def _good(random: Random, mark: str) -> tuple[str, dict[str, Any]]:
    path = random.choice(list(ROADS))
    return path, ROADS[path](mark)


def _json(document: Any) -> Content:
    return JSON_TYPE, json.dumps(document).encode()


def raw_json(random: Random, mark: str) -> Parts:
    path, _ = _good(random, mark)
    return "POST", path, "", {}, (JSON_TYPE, random.choice(RAW_JSON))


def damaged_json(random: Random, mark: str) -> Parts:
    path, document = _good(random, mark)
    body = bytearray(json.dumps(document).encode())
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(body))
        body[at : at + random.randint(0, 2)] = bytes(random.randrange(256) for _ in range(random.randint(0, 3)))
    return "POST", path, "", {}, (JSON_TYPE, bytes(body[: random.randint(1, len(body) * 3)]))


def wrong_values(random: Random, mark: str) -> Parts:
    path, document = _good(random, mark)
    holder = document
    for _ in range(random.randint(1, 3)):
        name = random.choice([*holder, "unknown", ""])
        if isinstance(holder.get(name), dict) and random.random() < 0.5:
            holder = holder[name]
        else:
            holder[name] = random.choice([*VALUES, *TEXTS])
    return "POST", path, "", {}, _json(document)


def random_unicode(random: Random, mark: str) -> Parts:
    path, document = _good(random, mark)
    text = "".join(chr(random.choice((random.randrange(0x300), random.randrange(0x110000)))) for _ in range(300))
    for name in random.sample(list(document), min(2, len(document))):
        document[name] = text if random.random() < 0.5 else [{"text": text}]
    return "POST", path, "", {}, _json(document)


def odd_headers(random: Random, mark: str) -> Parts:
    path, document = _good(random, mark)
    headers: dict[str, str] = {}
    for _ in range(random.randint(1, 3)):
        headers |= random.choice(HEADERS)
    if random.random() < 0.5:
        return random.choice(("GET", "POST", "DELETE")), random.choice(PATHS), "", headers, ("", b"")
    return "POST", path, "", headers, _json(document)


def odd_queries(random: Random, mark: str) -> Parts:
    query = "&".join(random.choice(QUERIES) for _ in range(random.randint(1, 3)))
    path, document = _good(random, mark)
    if random.random() < 0.8:
        return random.choice(("GET", "POST", "DELETE")), random.choice(PATHS), query, {}, ("", b"")
    return "POST", path, query, {}, _json(document)


def odd_paths(random: Random, mark: str) -> Parts:
    path = random.choice([*PATHS, *ROADS])
    odd = [
        "%00",
        "%2e%2e/",
        "..;/",
        "//",
        "%2f",
        "%252e",
        "%0d%0a",
        "é",
        "%ff",
        "\\",
        "%F0%9F%98%80",
        ":",
        "a" * 6000,
        "?",
        "#",
        "*",
        " ",
    ]
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(path))
        path = path[:at] + random.choice([*odd, OPERATION_ID, "-0", "0" * 20]) + path[at:]
    _, document = _good(random, mark)
    return random.choice(METHODS), path, "", {}, _json(document)


def odd_methods(random: Random, mark: str) -> Parts:
    path, document = _good(random, mark)
    return random.choice(METHODS), random.choice([path, *PATHS]), "", {}, _json(document)


def odd_pictures(random: Random, mark: str) -> Parts:
    path = random.choice(["/v1/images/edits", "/v1/images/variations"])
    bodies = [random.choice(PICTURES) for _ in range(random.choice((0, 1, 1, 1, 2, 17)))]
    urls = [
        data_url(body, random.choice(("image/png", "", "\r\n", "text/html")))
        for body in bodies
        if len(body) < 1_000_000
    ]
    bent = [
        random.choice((url, url[:-2], url + "=", url.replace("base64", "BASE64"), "https://127.0.0.1/x.png"))
        for url in urls
    ]
    images: Any = random.choice(([{"image_url": url} for url in bent], bent, {"image_url": bent[:1]}))
    mask = {"mask": {"image_url": random.choice(bent)}} if bent and random.random() < 0.3 else {}
    return "POST", path, "", {}, _json({"prompt": mark, "images": images, **mask})


def odd_forms(random: Random, mark: str) -> Parts:
    path = random.choice(["/v1/images/edits", "/v1/images/variations"])
    boundary = random.choice(["b", "b" * 70, "--", "a b"])
    parts = [part("prompt", mark.encode()), part("image", random.choice(PICTURES), 'x.png"; name="y')]
    for _ in range(random.randint(0, 3)):
        parts.insert(random.randint(0, len(parts)), random.choice(ODD_PARTS))
    if random.random() < 0.1:
        parts += [part(f"f{at}", b"x") for at in range(300)]
    end = random.choice([b"--%s--\r\n", b"--%s--\r\n", b"--%s", b"", b"--%s--\r\nepilogue--%s--"])
    line = b"--" + boundary.encode() + b"\r\n"
    body = b"".join(line + part for part in parts) + end.replace(b"%s", boundary.encode())
    return "POST", path, "", {}, (f"multipart/form-data; boundary={boundary}", body)


def own_webhooks(random: Random, mark: str) -> Parts:
    """What a webhook to the gateway itself would be, by a name that was not known for its own."""
    path, document = _good(random, mark)
    action = random.choice([":retry", ":cancel", ":redeliver", ""])
    path = random.choice([path, f"/v1/operations/{OPERATION_ID}{action}", f"/operations/{OPERATION_ID}:cancel"])
    headers = {"webhook-id": "x-1", "webhook-timestamp": "1", SIGNATURE_HEADER: "v1,x", "user-agent": USER_AGENT}
    del headers[random.choice(["webhook-id", SIGNATURE_HEADER, "user-agent"])]
    return random.choice(["POST", "POST", "DELETE", "GET"]), path, "", headers, _json(document)


def oversized(random: Random, mark: str) -> Parts:
    path, document = _good(random, mark)
    document[random.choice([*document, "unknown"])] = mark + random.choice(("a", "\U0001f600", '"')) * random.randint(
        1_000_000 // 8, 4_000_000 // 8
    )
    return "POST", path, "", {}, _json(document)


def long_lists(random: Random, mark: str) -> Parts:
    """A text as long as one may be, whatever it weighs in JSON; or the list of all of them."""
    if random.random() < 0.3:
        return "GET", "/v1/operations", "page_size=100", {}, ("", b"")
    character = random.choice(("\U0001f98a", "é", '"', "\\", "a"))
    document = ROADS["/v1/operations"](mark) | {"prompt": mark + character * 30_000}
    return "POST", "/v1/operations", "", {}, _json(document)


def good(random: Random, mark: str) -> Parts:
    path, document = _good(random, mark)
    return "POST", path, "", {}, _json(document)


_MAKERS = [raw_json, damaged_json, wrong_values, random_unicode, odd_headers, odd_queries, odd_paths]
_MAKERS += [odd_methods, odd_pictures, odd_forms, own_webhooks, oversized, long_lists, good, *hostile_charsets.MAKERS]
KINDS: dict[str, Callable[[Random, str], Parts]] = {made.__name__.replace("_", " "): made for made in _MAKERS}
"""Kinds of request; good ones among them, which must go on working."""
REFUSED = {"own webhooks"}
"""Kinds of which none may be let through."""


def _event(random: Random, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Event:
    event = event_of(method, path, query, headers, body)
    if random.random() < 0.05:
        event["cookies"] = ["a=b", "=;\x00"]
    if not body and random.random() < 0.5:
        del event["body"]
        event["isBase64Encoded"] = False
    elif random.random() < 0.5 and _is_utf8(body):
        event |= {"body": body.decode(), "isBase64Encoded": False}
    return event


def event_of(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Event:
    """What an HTTP API makes of a request (payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "requestId": "request-1",
            "stage": "$default",
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1"},
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
