"""What a folder beside this file exports, as STAND_INS, to have its stand-ins found and served."""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Literal

from starlette.types import ASGIApp

from imagegate.local.upstreams.directives import FaultSet
from imagegate.local.upstreams.upstream import Upstream

Proof = Literal["real server", "official client", "third-party client", "recordings"]
"""What showed that a stand-in speaks like its original, the strongest first: the same tests pass on a real server, or
a client that we did not write works with it; recordings are requests and answers as documentation shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """One stand-in: whose part it plays, and where."""

    name: str
    """The provider's name, a key of models.toml's `[providers]`; `expander` is the language model's."""
    speaks: str
    """What it plays, for people."""
    mount: str
    """Path below which `build`'s app is served; it begins with `name`."""
    base_path: str
    """`name`, and the path of the provider's base URL as models.toml has it for the real one."""
    calls: tuple[str, ...]
    """Method and path, from `base_path` on, of the calls that ask for a picture."""
    faults: FaultSet
    proof: Proof
    proven_by: str
    """The client or the document, and the test, in a few words."""
    build: Callable[[Upstream], ASGIApp]
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Credentials that the provider must find set before it calls; any value is accepted."""
    further_base_paths: Mapping[str, str] = field(default_factory=dict)
    """Paths of the provider's further base URLs, by their key in models.toml (`auth_url`)."""

    @property
    def base_paths(self) -> dict[str, str]:
        """Every path by the name that its URL has in `registry.stand_in_urls`."""
        further = {f"{self.name}.{key}": path for key, path in self.further_base_paths.items()}
        return {self.name: self.base_path, **further}


def find_stand_ins() -> tuple[StandIn, ...]:
    """The STAND_INS of every folder beside this file."""
    package = import_module(__package__ or "")
    folders = sorted(found.name for found in pkgutil.iter_modules(package.__path__) if found.ispkg)
    modules = [import_module(f"{__package__}.{name}") for name in folders]
    return tuple(stand_in for module in modules for stand_in in getattr(module, "STAND_INS", ()))
