"""A deployed template that requires keys, for MCP clients; the programs are from `tests/clients/setup.sh mcp`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from typer.testing import CliRunner

from imagegate.cli.main import app
from imagegate.local.front_door import FrontDoor
from imagegate.local.origin_policy import Receive, Scope, Send
from imagegate.local.ports import listen
from imagegate.local.stack.server_thread import ServerThread
from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.stack_settings import on_free_ports


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where it is, and what opens it."""

    base_url: str
    key: str
    stack: Stack

    @property
    def url(self) -> str:
        """What a client is configured with."""
        return f"{self.base_url}/mcp"


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The endpoint of a stack whose stand-ins take half a second."""
    settings = replace(
        on_free_ports(tmp_path_factory.mktemp("mcp")),
        parameters={"Stage": "local", "Access": "keys", "PublicUrl": ""},
        stand_ins=StandIns(build_app(latency_seconds=0.5), STAND_IN_SECRETS),
    )
    with Stack(settings) as stack:
        where = ["--local", "--state-dir", str(stack.folder.root), "--json"]
        made = CliRunner().invoke(app, ["keys", "create", "--name", "mcp", *where])
        assert made.exit_code == 0, made.output
        yield Endpoint(stack.base_url, str(json.loads(made.stdout)["key"]), stack)


@pytest.fixture(scope="session")
def open_endpoint(endpoint: Endpoint) -> Iterator[Endpoint]:
    """A door in front of it that adds the key, for programs that cannot be given one."""
    door, key = FrontDoor(), (b"authorization", f"Bearer {endpoint.key}".encode())
    endpoint.stack.open_door(door)

    async def with_key(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], key]}
        await door(scope, receive, send)

    server = ServerThread(with_key, listen(0), "door with a key")
    try:
        server.start()
        yield replace(endpoint, base_url=server.url)
    finally:
        server.stop()
