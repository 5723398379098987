"""What an embedded stack is made of."""

import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

FRONT_DOOR_PORT, MINISTACK_PORT, UPSTREAMS_PORT, LONG_HOLD_PORT = 1337, 1338, 1339, 1341
"""The ports of `make run`; all but the first give way when they are taken. 1340 is the bridge's."""
DEFAULT_STAGE = "dev"
"""The template's default for its parameter Stage."""


class TemplateParameter(StrEnum):
    """Parameters of the template that the stack itself reads or sets."""

    STAND_IN_URL = "StandInUrl"
    """The base URL of the stand-ins."""
    LONG_HOLD = "LongHold"
    """`on` for a second address, which holds requests without redirects."""
    CORS_ORIGINS = "CorsOrigins"
    """The origins whose pages may call the gateway, separated by commas."""
    PUBLIC_URL = "PublicUrl"
    """Where the gateway answers; it is filled in if the settings name it."""


@dataclass(frozen=True)
class StandIns:
    """Servers that play the upstreams."""

    app: Any
    """An ASGI application that plays each provider below its name (`registry.stand_in_urls`)."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Upstream credentials to set, for providers that ask for none before they have one."""


@dataclass(frozen=True, kw_only=True)
class StackSettings:
    """What to run, and where."""

    template: Path
    state: Path
    """Folder of everything that outlives a stop."""
    port: int = FRONT_DOOR_PORT
    """The front door's port; 0 for any."""
    ministack_port: int = MINISTACK_PORT
    upstreams_port: int = UPSTREAMS_PORT
    long_hold_port: int | None = None
    """Of the long-hold address, where the parameter LongHold is on; None for the usual one, or if it is taken any."""
    name: str = "imagegate-local"
    """Name of the CloudFormation stack."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The template's parameters, but for the base URLs of stand-ins."""
    stand_ins: StandIns | None = None
    """None: the template's own upstreams, the real ones."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of MiniStack and the functions, e.g. SFN_WAIT_SCALE=0.1 to shorten the workflow's waits."""
    time_scale: float = 1.0
    """Divides the front door's integration timeout."""
    public_url: str = ""
    """Where a proxy makes the front door reachable, without a path; empty without one."""
    say: Callable[[str], None] = print
    """Called with a line of text about what is not a step: a repair, a restart."""
    step: Callable[[str], AbstractContextManager[Any]] = contextlib.nullcontext
    """Entered with a step's name while it lasts."""
