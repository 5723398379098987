"""Graphs for ComfyUI with named slots in them (docs/protocols/comfyui.md#graphs). Pure, but for reading the file."""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from imagegate.domain.errors import MisconfiguredError

SLOTS = frozenset({"prompt", "negative_prompt", "width", "height", "seed", "steps", "guidance", "count", "model", "id"})
_SLOT = re.compile(r"\{([a-z_]+)(?::([^{}]*))?\}")


@cache
def graph_names() -> tuple[str, ...]:
    """The names of all graphs, in order."""
    found = [entry.name for entry in files(__package__).joinpath("graphs").iterdir()]
    return tuple(sorted(name.removesuffix(".json") for name in found if name.endswith(".json")))


@cache
def read_graph(name: str) -> dict[str, Any]:
    """The graph `name`.json of the folder `graphs`. Raises MisconfiguredError when it cannot be used."""
    try:
        graph = json.loads(files(__package__).joinpath("graphs", f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MisconfiguredError(f"providers/graphs/{name}.json: {error}") from error
    if unknown := slots_of(graph) - SLOTS:
        raise MisconfiguredError(f"providers/graphs/{name}.json has the unknown slot {{{min(unknown)}}}")
    if missing := {"prompt", "id"} - slots_of(graph):
        raise MisconfiguredError(f"providers/graphs/{name}.json lacks the slot {{{min(missing)}}}")
    return dict(graph)


def slots_of(graph: Any) -> set[str]:
    """The names of the slots that it has."""
    return {match[1] for match in _SLOT.finditer(json.dumps(graph))}


def fill_graph(graph: Any, values: Mapping[str, Any]) -> Any:
    """The graph with `values` in its slots.

    A slot that is a whole string becomes the value itself, so that numbers stay numbers; one within a string becomes
    text. A slot without a value gets its default (`{steps:4}`), as JSON where it is such, or else an empty string.
    """
    if isinstance(graph, dict):
        return {name: fill_graph(part, values) for name, part in graph.items()}
    if isinstance(graph, list):
        return [fill_graph(part, values) for part in graph]
    if not isinstance(graph, str):
        return graph
    if whole := _SLOT.fullmatch(graph):
        return _value(whole, values)
    return _SLOT.sub(lambda slot: str(_value(slot, values)), graph)


def _value(slot: re.Match[str], values: Mapping[str, Any]) -> Any:
    value = values.get(slot[1])
    if value is not None:
        return value
    try:
        return json.loads(slot[2] or '""')
    except ValueError:
        return slot[2]
