"""The HTTP side of every API in dialects/registry.py: its folder here has `routes.py` and `openapi.py`."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from fastapi import APIRouter

from imagegate.dialects.registry import DIALECTS

if TYPE_CHECKING:
    from imagegate.web.openapi_parts import Documented


def routers() -> Iterator[APIRouter]:
    """The routes of each API."""
    for dialect in DIALECTS.values():
        yield import_module(f"imagegate.web.{dialect.folder}.routes").router


def documented_routes() -> Iterator[tuple[str, Mapping[str, "Documented"]]]:
    """The tag of each API in the OpenAPI document, and its documentation by route name.

    It is loaded only when the document is made, not when a request is answered.
    """
    for dialect in DIALECTS.values():
        yield dialect.title, import_module(f"imagegate.web.{dialect.folder}.openapi").DOCUMENTED
