"""Import FastAPI without the validators of its OpenAPI models: `/openapi.json` alone needs them.

pydantic builds a model's validator when the class is made, which for these models is a third of FastAPI's import. With
`defer_build` it is built at its first use. The models do not set it, and pydantic has no public default for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel
from pydantic._internal import _config


def import_fastapi() -> None:
    """Import it. Without effect where something has imported it before."""
    with _deferred():
        import fastapi  # noqa: F401


@contextmanager
def _deferred() -> Iterator[None]:
    rebuild: Any = BaseModel.__dict__["model_rebuild"]

    def only_when_needed(cls: type[BaseModel], /, **options: Any) -> bool | None:
        # Modules rebuild their recursive models without options; pydantic has some when a model is used.
        rebuilt: bool | None = rebuild.__func__(cls, **options) if options else None
        return rebuilt

    _config.config_defaults["defer_build"] = True
    BaseModel.model_rebuild = classmethod(only_when_needed)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        _config.config_defaults["defer_build"] = False
        BaseModel.model_rebuild = rebuild  # type: ignore[method-assign]
