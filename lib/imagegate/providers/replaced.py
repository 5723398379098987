"""URLs that a deployment sets in place of a provider's own, as the embedded stack's stand-ins need it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

URL_SUFFIX = "_url"
"""How the keys of models.toml end that hold URLs."""

C = TypeVar("C")


def with_replaced_urls(name: str, config: C, replaced: Mapping[str, str]) -> C:
    """The config with the deployment's own URLs in its `*_url` fields, which `replaced` has as `name.field`."""
    urls: dict[str, Any] = {
        key.partition(".")[2]: url
        for key, url in replaced.items()
        if key.startswith(f"{name}.") and key.endswith(URL_SUFFIX)
    }
    return replace(config, **urls) if urls else config  # type: ignore[type-var]  # typing cannot say "a dataclass"
