"""Counts the AWS calls of the functions, between them and MiniStack, in the units AWS bills.

DynamoDB: a write unit is 1 KB, a read unit 4 KB (half for an eventually consistent read, double in a transaction).
Indexes are written when what they project changes, twice when a key of theirs does (the old entry goes, the new one
comes); a write whose condition fails costs as well. A stream read by a Lambda trigger is free.
"""

import json
import math
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

INDEXES = {"open": (("open", "due_at"), ()), "owner": (("owner", "id"), ("state", "model"))}
"""Keys and other projected attributes of template.yaml's indexes."""
_KEY = re.compile(rb"Credential=([A-Z0-9]+)/")
_HOP = {b"connection", b"transfer-encoding", b"expect", b"keep-alive"}
Item = Mapping[str, Mapping[str, Any]]


def item_bytes(item: Item) -> int:
    """Size as DynamoDB counts it: names and values in UTF-8, numbers about a byte for two digits."""
    sizes = ((name, kind, value) for name, entry in item.items() for kind, value in entry.items())
    return sum(
        len(name) + (len(value) // 2 + 1 if kind == "N" else len(str(value).encode())) for name, kind, value in sizes
    )


def index_writes(old: Item, new: Item) -> float:
    """Write units of the indexes when an item changes; their entries are small."""
    units = 0.0
    for keys, others in INDEXES.values():
        before, after = all(key in old for key in keys), all(key in new for key in keys)
        if before and after:
            moved = any(old[key] != new[key] for key in keys)
            units += 2.0 if moved else float(any(old.get(other) != new.get(other) for other in others))
        else:
            units += before or after
    return units


@dataclass
class Counts:
    """By function: what it has used, and how often it called what."""

    units: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    calls: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


class CountingProxy:
    """An ASGI application that passes every call on, unchanged, and counts it."""

    def __init__(self) -> None:
        self.target = ""
        self.functions: dict[str, str] = {}
        """Access key to function."""
        self._counts = Counts()
        self._items: dict[str, Item] = {}
        self._lock = threading.Lock()
        self._client = httpx.AsyncClient(timeout=70, trust_env=False, limits=httpx.Limits(max_connections=200))

    @property
    def events(self) -> int:
        """Announcements since the last reset."""
        return self._counts.units["publish"]["event"]

    def reset(self) -> Counts:
        """What was counted since the last time."""
        with self._lock:
            counted, self._counts = self._counts, Counts()
        return counted

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One call, or the server's start and stop."""
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answer, content = await self._forward(scope, body)
        self._count(scope, body, answer, content)
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() not in _HOP]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _forward(self, scope: Any, body: bytes) -> tuple[httpx.Response, bytes]:
        path = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _HOP]
        request = self._client.build_request(
            scope["method"], httpx.URL(self.target).copy_with(raw_path=path), headers=headers, content=body
        )
        answer = await self._client.send(request, stream=True)
        content = b"".join([part async for part in answer.aiter_raw()])
        await answer.aclose()
        return answer, content

    def _count(self, scope: Any, body: bytes, answer: httpx.Response, content: bytes) -> None:
        headers = dict(scope["headers"])
        key = _KEY.search(headers.get(b"authorization", b""))
        caller = self.functions.get(key.group(1).decode() if key else "", "?")
        target = headers.get(b"x-amz-target", b"").decode()
        service, _, action = target.rpartition(".")
        invoked = scope["path"].startswith("/2015-03-31/functions/")  # counted by the reports of its invocations
        name = target or ("Lambda.Invoke" if invoked else f"S3.{scope['method']}")
        with self._lock:
            self._counts.calls[caller][name.removeprefix("DynamoDB_20120810.")] += 1
            units = self._counts.units[caller]
            if service.startswith("DynamoDB"):
                kind, amount = self._units(action, json.loads(body), json.loads(content or b"{}"), answer.is_success)
                units[kind] += amount  # type: ignore[assignment]
            elif service.startswith("AWSEvents"):
                units["event"] += sum(math.ceil(len(entry["Detail"]) / 65_536) for entry in json.loads(body)["Entries"])
            elif not target and not invoked:
                units["s3_put" if scope["method"] in ("PUT", "POST") else "s3_get"] += 1

    def _units(self, action: str, asked: Any, answered: Any, done: bool) -> tuple[str, float]:
        if action == "GetItem":
            size = item_bytes(answered.get("Item", {}))
            return "dynamodb_read_unit", max(1, math.ceil(size / 4096)) * (1.0 if asked.get("ConsistentRead") else 0.5)
        if action == "BatchGetItem":
            items = [item for found in answered.get("Responses", {}).values() for item in found]
            return "dynamodb_read_unit", sum(0.5 * max(1, math.ceil(item_bytes(item) / 4096)) for item in items)
        if action == "Query":
            return "dynamodb_read_unit", 0.5
        if action == "PutItem":
            return "dynamodb_write_unit", self._put(asked["Item"], done)
        if action == "TransactWriteItems":
            return "dynamodb_write_unit", 2 * sum(
                self._put(entry["Put"]["Item"], done) if "Put" in entry else 1.0 for entry in asked["TransactItems"]
            )
        return "dynamodb_write_unit", 1.0

    def _put(self, item: Item, done: bool) -> float:
        units = float(math.ceil(item_bytes(item) / 1024))
        if done:
            name = item["pk"]["S"]
            units += index_writes(self._items.get(name, {}), item)
            self._items[name] = item
        return units
