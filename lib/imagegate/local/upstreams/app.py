"""All stand-in upstreams in one ASGI app, as `make run` and the tests serve it on loopback.

The stand-ins are found in the folders beside this file (`stand_in.py`); no list of them is kept here.
"""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from imagegate.local.upstreams.call_log import CallLog
from imagegate.local.upstreams.stand_in import StandIn, find_stand_ins
from imagegate.local.upstreams.upstream import Timing, Upstream

STAND_INS = find_stand_ins()

BASE_PATHS: dict[str, str] = {name: path for stand_in in STAND_INS for name, path in stand_in.base_paths.items()}
"""Path of each base URL, by its name in `registry.stand_in_urls`."""

STAND_IN_SECRETS: dict[str, str] = {name: value for each in STAND_INS for name, value in each.secrets.items()}
"""Credentials that providers must find set before they call a stand-in, which takes any."""


def build_app(
    latency_seconds: float = 2.0,
    heartbeat_seconds: float = 15.0,
    latencies: Mapping[str, float] | None = None,
    drip_seconds: float = 0.5,
    hang_seconds: float = 900.0,
) -> Starlette:
    """The app. `latencies` overrides `latency_seconds` per protocol; the rest is explained at `Timing`."""
    ledger = CallLog()

    def mount(stand_in: StandIn) -> Mount:
        latency = (latencies or {}).get(stand_in.faults.protocol, latency_seconds)
        timing = Timing(latency=latency, heartbeat=heartbeat_seconds, drip=drip_seconds, hang=hang_seconds)
        return Mount(
            stand_in.mount,
            stand_in.build(Upstream(name=stand_in.name, faults=stand_in.faults, timing=timing, ledger=ledger)),
        )

    return Starlette(routes=[Route("/", index), Mount("/_standin", routes=ledger.routes()), *map(mount, STAND_INS)])


def describe_app() -> str:
    """What the app serves, as text."""
    calls = [(stand_in.base_path, stand_in.speaks, ", ".join(stand_in.calls)) for stand_in in STAND_INS]
    path, speaks = (max(len(row[column]) for row in calls) + 2 for column in (0, 1))
    lines = "\n".join(f"{row[0]:{path}}{row[1]:{speaks}}{row[2]}" for row in calls)
    return (
        "imagegate's stand-in upstreams: real protocols, drawn pictures, no model, no key.\n\n"
        f"{lines}\n\n/_standin/submissions: what they have accepted (DELETE clears it).\n\n"
        "Directives in a prompt, such as [delay 70s] or [fault http-429 x1], are listed in docs/stand-ins.md.\n"
    )


async def index(request: Request) -> Response:
    """What is here, for a person with a browser."""
    return PlainTextResponse(describe_app())
