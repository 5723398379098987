"""Calls of the MCP endpoint of a Gateway."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from imagegate.domain.failure import Failure
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.picture import Picture
from support.fakes import FakeClock, picture
from support.gateway import Answered, Gateway

LATEST = "2026-07-28"
PREVIEW = picture(output_format="webp")
FOX = {"prompt": "a red fox in the snow"}
NOW = {**FOX, "wait_seconds": 0}


@dataclass
class EventfulClock(FakeClock):
    """A clock on which things happen during a sleep."""

    events: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        for event in [event for event in self.events if event[0] <= self.time]:
            self.events.remove(event)
            event[1]()


def send(gateway: Gateway, message: Any, **headers: str) -> Answered:
    """Post a message, or what is none."""
    return gateway.call("POST", "/mcp", message, **headers)


def request(
    gateway: Gateway, method: str, params: Any = None, *, version: str = LATEST, key: str = "", **headers: str
) -> Answered:
    """A valid request in a version of the protocol."""
    given = {"authorization": f"Bearer {key}"} if key else {}
    params = dict(params or {})
    if version == LATEST:
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": LATEST,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        given["mcp_method"] = method
        named = params.get("name") or params.get("uri")
        given |= {"mcp_name": named} if isinstance(named, str) else {}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return send(gateway, message, **({"mcp_protocol_version": version} | given | headers))


def result(gateway: Gateway, method: str, params: Any = None, **more: Any) -> Any:
    """The result of a request that succeeds."""
    answer = request(gateway, method, params, **more)
    assert answer.status == 200, answer.text
    body = answer.json()
    assert (body["jsonrpc"], body["id"], "error" in body) == ("2.0", 1, False), body
    return body["result"]


def tool(gateway: Gateway, name: str, arguments: Any = None, **more: Any) -> Any:
    """The result of a tool."""
    return result(gateway, "tools/call", {"name": name, "arguments": arguments or {}}, **more)


def started(gateway: Gateway, **more: Any) -> str:
    """The id of an operation that a tool has started."""
    return str(tool(gateway, "generate_image", NOW, **more)["structuredContent"]["operation_id"])


def texts(found: Any) -> str:
    """What a model reads of a result."""
    return "\n".join(part["text"] for part in found["content"] if part["type"] == "text")


def end(gateway: Gateway, failure: Failure | None = None, *, preview: bool = True) -> Operation:
    """End the newest operation, with a picture in every slot or a failure."""
    found = gateway.store.get(list(gateway.store.documents)[-1])
    assert found
    now = gateway.clock.now()
    running = found.moved(State.RUNNING, now)
    if failure:
        ended = running.moved(State.FAILED, now, failure=failure)
    else:
        ended = running.with_pictures(
            tuple(_keep(gateway, found.id, slot, preview) for slot in range(found.request.n))
        ).complete_if_done(now)
    gateway.store.replace(replace(ended, version=found.version + 1))
    return ended


def _keep(gateway: Gateway, operation_id: str, slot: int, preview: bool) -> Picture:
    key, body = f"images/{operation_id}/{slot}", picture()
    gateway.images.put(f"{key}.png", body, "image/png")
    gateway.images.put(f"{key}.preview.webp", PREVIEW, "image/webp")
    return Picture(
        slot=slot,
        key=f"{key}.png",
        sha256="s",
        content_type="image/png",
        width=64,
        height=48,
        bytes=len(body),
        provider="alpha",
        seed=7,
        preview=f"{key}.preview.webp" if preview else None,
    )
