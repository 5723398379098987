"""What hostile requests are made of."""
# ruff: noqa: E501, RUF001

import base64
import codecs
import gzip
import struct
import zlib
from collections.abc import Callable
from typing import Any

OPERATION_ID = "06gzj55vfn0ajhf9kn2m"
"""One that is there."""


def png(width: int, height: int, shade: bytes = b"\x7f") -> bytes:
    """A whole PNG when it is small; of a large one the header, which is where a decoder reserves its memory."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = (
        zlib.compress(b"".join(b"\x00" + shade * 3 * width for _ in range(height))) if width * height < 10_000 else b""
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    """The beginning of a JPEG of that size."""
    return (
        b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08"
        + struct.pack(">HH", height, width)
        + b"\x01\x01\x11\x00\xff\xd9"
    )


def webp(width: int, height: int) -> bytes:
    """The beginning of a WebP of that size (at most 2**24)."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + sides


def data_url(body: bytes, kind: str = "image/png") -> str:
    """The picture as a data URL."""
    return f"data:{kind};base64,{base64.b64encode(body).decode()}"


def part(name: str, body: bytes, filename: str = "", more: str = "") -> bytes:
    named = f'; filename="{filename}"' if filename else ""
    return f'Content-Disposition: form-data; name="{name}"{named}\r\n{more}\r\n'.encode() + body + b"\r\n"


ODD_PARTS = [
    b"\r\n\r\n", b"Content-Disposition: form-data\r\n\r\nx\r\n", b"no header at all\r\n", part("n", b"\xff\xfe"), part("n", b"9" * 500),
    part("prompt", b"\x00\x07"), part("prompt", b"second"), part("size", b"1x1\r\n"), part("image[]", png(8, 8), "../../x"),
    part("mask", b"no picture", "m.png"), part("user", b"x" * 2_000_000), part("é\x00", b"x"), part("image", b"", "empty.png"),
    part("n", b"1", more="Content-Type: text/plain; charset=utf-7\r\n"), part("n", b"1", more="Content-Type: x; charset=\xff\r\n"),
    part("n", b"1", more="Content-Transfer-Encoding: base64\r\n"), part("x", b"y", more="X-H: " + "h" * 20_000 + "\r\n"),
    b"Content-Disposition: form-data; name*=utf-8''%ff; filename*=x''%00\r\n\r\nx\r\n",
]  # fmt: skip


ROADS: dict[str, Callable[[str], dict[str, Any]]] = {
    "/v1/images/generations": lambda mark: {
        "model": "flux", "prompt": mark, "n": 1, "size": "64x64", "response_format": None, "seed": 1, "user": "u",
        "num_inference_steps": 4, "guidance_scale": 1.5, "output_format": "png", "negative_prompt": "x", "stream": False,
    },
    "/api/alpha/images/generations": lambda mark: {"prompt": mark, "width": 64, "height": 64},
    "/v1/operations": lambda mark: {
        "model": "flux", "prompt": mark, "n": 1, "size": {"width": 64, "height": 64}, "seed": 1, "steps": 4,
        "metadata": {"a": "b"}, "deadline": 60, "validate_only": False,
    },
    "/mcp": lambda mark: {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "generate_image", "arguments": {"prompt": mark, "n": 2, "seed": 7, "wait_seconds": 0}},
    },
    "/foundationModels/v1/imageGenerationAsync": lambda mark: {
        "modelUri": "art://f/flux/latest", "messages": [{"text": mark, "weight": "1"}],
        "generationOptions": {"seed": "1", "mimeType": "image/jpeg", "aspectRatio": {"widthRatio": "1", "heightRatio": 1}},
    },
    "/v1/responses": lambda mark: {
        "model": "flux", "input": [{"role": "user", "content": [{"type": "input_text", "text": mark}]}],
        "tools": [{"type": "image_generation", "size": "64x64"}], "tool_choice": "auto", "background": False,
        "metadata": {"a": "b"}, "previous_response_id": None, "store": True, "stream": False, "instructions": "x",
    },
    "/v1/chat/completions": lambda mark: {
        "model": "flux", "messages": [{"role": "user", "content": mark}], "modalities": ["image", "text"], "n": 1,
        "markdown": True, "stream": False, "image_config": {"aspect_ratio": "1:1"}, "metadata": {"a": "b"},
    },
    "/v1/images/edits": lambda mark: {"prompt": mark, "images": [{"image_url": data_url(png(8, 8))}]},
    "/v1/images/variations": lambda mark: {"images": [{"image_url": data_url(png(8, 8))}], "user": mark},
}  # fmt: skip
"""Every route that takes a body, with a good one."""
PATHS = [
    "/mcp", "/v1/models", "/v1/models/flux", "/v1/models/a/b/c", "/v1/operations", f"/v1/operations/{OPERATION_ID}",
    f"/v1/operations/{OPERATION_ID}/wait", f"/v1/operations/{OPERATION_ID}:cancel", f"/v1/images/{OPERATION_ID}-0",
    f"/v1/operations/{OPERATION_ID}:retry", f"/operations/{OPERATION_ID}", f"/operations/{OPERATION_ID}:cancel",
    f"/v1/responses/resp_{OPERATION_ID}", f"/v1/responses/resp_{OPERATION_ID}/cancel", "/v1/responses/resp_x",
    "/docs", "/openapi.json", "/v1/usage", "/", "",
]  # fmt: skip
METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND", "X" * 50]
TEXTS = [
    "", " ", "\x00", "a\x00b", "\x07\x1b[2J", "\r\nx-evil: 1", "\u202edlrow", "\ufeff", "\ufffe", "\ud83d\ude00" * 10,
    "e\u0301" * 500, "🏳️‍🌈" * 100, "ﷺ" * 1000, "x" * 40_000, "𝔘" * 32_000, "../" * 50 + "etc/passwd", "%00%0d%0a",
    "'; DROP TABLE operations;--", "{{7*7}}${7*7}<%= 7*7 %>", "${jndi:ldap://127.0.0.1/a}", "<script>alert(1)</script>",
    "%s%n%x" * 20, "__proto__", "null", "NaN", "1e999", "0x10", "٣", "Ⅷ", "1_000", "+1", "-0", "art://", "art:////",
    "art://f/" + "m" * 5000, "9" * 400, "data:image/png;base64," + "A" * 2000, "http://169.254.169.254/latest/meta-data/",
    "\x85\u2028\u2029", "\x7f", "file:///etc/passwd", "op#x", "apikey#x", "signing",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**63 - 1, -(2**63), 10**40, 0.1, -0.0, 1e308, 5e-324, 1.0, [], {}, [[]],
    [{}], {"": ""}, [None] * 50, {"a": {"b": {"c": [1, {"d": 2}]}}}, ["x"], [1, "2", None], {"$ref": "#"}, {"length": -1},
    {"image_url": "data:image/png;base64,////"}, {"file_id": "file-1"}, {str(at): "x" for at in range(40)},
]  # fmt: skip
RAW_JSON = [
    b"", b" ", b"{", b"}", b"[]", b"null", b"true", b"0", b'"x"', b"{]", b'{"prompt":}', b'{"prompt" "a"}',
    b"{'prompt':'a'}", b'{"prompt":"a",}', b'{"prompt":"a"}{"prompt":"b"}', b'{"prompt":"a"} x', b"//c\n{}", b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00", b"\xfe\xff\x00{\x00}", codecs.BOM_UTF32_LE + "{}".encode("utf-32-le"), b'{"prompt":"\xff\xfe"}',
    b'{"prompt":"\xed\xa0\x80"}', b'{"prompt":"\xc0\x80"}', b'{"prompt":"\xf4\x90\x80\x80"}', b'{"prompt":"a\nb"}',
    b'{"prompt":"a\x00b"}', b'{"prompt":"\\x41"}', b'{"prompt":"\\u12"}', b'{"prompt":"\\ud800"}',
    b'{"prompt":"\\udc00\\ud800"}', b'{"\\ud800":1,"prompt":"a"}', b'{"user":"\\udfff","prompt":"a"}',
    b'{"ignored":["\\ud800"],"prompt":"a"}', b'{"prompt":"\\u0000"}', b'{"prompt":"a\\u0007"}', b'{"prompt":NaN}',
    b'{"prompt":"a","seed":NaN}', b'{"prompt":"a","seed":Infinity}', b'{"prompt":"a","x":-Infinity}',
    b'{"prompt":"a","seed":1e400}', b'{"prompt":"a","x":-1e400}', b'{"prompt":"a","n":1e2}', b'{"prompt":"a","n":1.0}',
    b'{"prompt":"a","seed":' + b"9" * 5000 + b"}", b'{"prompt":"a","x":' + b"9" * 400 + b"}",
    b'{"prompt":"a","x":0.' + b"1" * 100_000 + b"}", b'{"prompt":"a","prompt":"b"}', b'{"n":1,"n":9,"prompt":"a"}',
    b'{"prompt":"a","x":{"y":1,"y":2}}', b"[" * 500 + b"]" * 500, b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900, b'{"prompt":"a","x":' + b"[" * 40 + b"]" * 40 + b"}",
    b'{"prompt":"a","x":' + b"[" * 990 + b"]" * 990 + b"}", b'{"prompt":"a","x":[' + b"0," * 100_000 + b"0]}",
    b'{"prompt":"' + b"a" * 2_000_000 + b'"}', b'{"prompt":"' + b"\\ud83d\\ude00" * 32_000 + b'"}',
    b'{"prompt":"' + b"\\u0001" * 32_000 + b'"}', b"{" + b",".join(b'"k%d":0' % at for at in range(20_000)) + b"}",
    gzip.compress(b'{"prompt":"a"}'), zlib.compress(b"0" * 1_000_000), b"<?xml version='1.0'?><!DOCTYPE a>", b"prompt=a&n=1",
    b"\x80\x04\x95", b"--x\r\n\r\n--x--", bytes(range(256)),
]  # fmt: skip
HEADERS: list[dict[str, str]] = [
    {"transfer-encoding": "chunked"}, {"transfer-encoding": "chunked, identity"}, {"content-length": "0"},
    {"content-length": "-1"}, {"content-length": "99999999999999999999"}, {"content-length": "5, 6"}, {"connection": "close, x"},
    {"connection": "keep-alive, authorization"}, {"upgrade": "websocket"}, {"upgrade": "h2c"}, {"te": "trailers"},
    {"expect": "100-continue"}, {"x-forwarded-for": "127.0.0.1, ::1"}, {"x-forwarded-host": "evil.invalid"},
    {"x-forwarded-proto": "javascript"}, {"x-forwarded-port": "evil"}, {"x-forwarded-port": "٣"}, {"x-forwarded-port": ""},
    {"forwarded": "for=127.0.0.1;host=evil"}, {"x-original-url": "/docs"}, {"x-rewrite-url": "/docs"}, {"host": "[::1]:80"},
    {"host": "a:b:c"}, {"host": ":"}, {"host": ""}, {"host": "x" * 300}, {"host": "evil.invalid:99999"},
    {"x-http-method-override": "DELETE"}, {"x-request-id": "a\r\nset-cookie: x=1"}, {"x-amzn-trace-id": "x" * 2000},
    {"x-amzn-requestid": "\r\n"}, {"idempotency-key": ""}, {"idempotency-key": "x" * 256}, {"idempotency-key": "x" * 255},
    {"idempotency-key": "\x00\r\n"}, {"idempotency-key": "ключ 🗝"}, {"prefer": "wait=999999"}, {"prefer": "wait=-1"},
    {"prefer": "wait=٣"}, {"prefer": "wait=" + "9" * 500}, {"prefer": "respond-async," * 200}, {"prefer": "wait=1e9, x"},
    {"user-agent": ""}, {"user-agent": "x" * 8000}, {"user-agent": "OpenAI/Python \x1b[2J"}, {"accept": "*/*;q=\x00"},
    {"accept-encoding": "gzip;q=1e999"}, {"content-encoding": "gzip"}, {"content-encoding": "br, gzip, x"},
    {"if-none-match": '"' * 4000}, {"if-none-match": "*"}, {"range": "bytes=0-,1-,2-"}, {"origin": "null"},
    {"origin": "https://evil.invalid"}, {"access-control-request-method": "X" * 2000}, {"cookie": "a=" + "b" * 8000},
    {"x-stainless-retry-count": "NaN"}, {"x-stainless-retry-count": "-1"}, {"x-stainless-retry-count": "1"},
    {"authorization": ""}, {"authorization": "Bearer"}, {"authorization": "Bearer \x00"}, {"authorization": "Bearer ig_" + "x" * 9000},
    {"authorization": "Api-Key ключ"}, {"authorization": "Basic " + "A" * 400}, {"x-api-key": "ig_é_é"}, {"x-data-logging-enabled": "\x00"},
    {"content-type": ""}, {"content-type": "\x00"}, {"content-type": "multipart/form-data"}, {"content-type": "text/plain; charset=utf-7"},
    {"content-type": "multipart/form-data; boundary="}, {"content-type": "multipart/form-data; boundary=" + "x" * 5000},
    {"content-type": "multipart/form-data; boundary=\u00e9"}, {"content-type": "application/json; charset=\x00"},
    {"content-type": "application/x-www-form-urlencoded"}, {f"x-{at}": "y" for at in range(80)},
]  # fmt: skip
QUERIES = [
    "hop=0", "hop=-1", "hop=1e9", "hop=" + "9" * 5000, "hop=NaN", "hop=1&hop=2", "hop=%00", "hop[]=1", "hop", "&&&&", "=", "%",
    "%zz", "%ff%fe", "token=", "token=%00", "token=" + "A" * 8000, "token=a.b.c", "token=a&token=b", "page_size=0", "page_size=-1",
    "page_size=1000000", "page_size=9" * 50, "page_size=1.5", "page_token=", "page_token=%00", "page_token=AAAA", "page_token=w7_DvA",
    "page_token=" + "A" * 5000, "page_token=" + base64.urlsafe_b64encode(OPERATION_ID.encode()).decode(), "page_token=é",
    "state=", "state=\x00", "state=running&state=x", "model=%00", "model=" + "m" * 300, "created_after=0001-01-01T00:00:00Z",
    "created_after=9999-12-31T23:59:59Z", "created_after=0001-01-01T00:00:00%2B14:00", "created_after=9999-12-31T23:59:59-14:00",
    "created_after=1e400", "created_after=-1e18", "created_before=99999999999999999999", "created_before=NaN", "created_after=%F0%9F",
    "created_before=0001-01-01", "created_before=2026-02-30T00:00:00Z", "created_after=2026-01-01T00:00:00", "x=" + "y" * 8000,
    "&".join(f"k{at}=v" for at in range(1000)), "../../..", "%0d%0aset-cookie:%20a=1", "hop=1;hop=2", "callback=alert(1)",
]  # fmt: skip


PICTURES = [
    png(8, 8), png(60_000, 60_000), png(2**31 - 1, 2**31 - 1), png(0, 8), png(8, 8)[:20], png(8, 8)[:-30], b"", b"GIF89a" + bytes(20),
    jpeg(8, 8), jpeg(65_535, 65_535), jpeg(0, 0), jpeg(8, 8)[:6], b"\xff\xd8\xff" + b"\xff" * 5000, b"\xff\xd8\xff\xe0\x00\x00" * 2000,
    b"\xff\xd8\xff\xe0\x00\x01", webp(8, 8), webp(2**24, 2**24), b"RIFF\x00\x00\x00\x00WEBP", b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(30),
    b"RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00\x2f\xff\xff\xff\xff", b"<svg onload='alert(1)'/>", b"%PDF-1.7", bytes(3_000_000),
    b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\xff" * 40,
]  # fmt: skip
