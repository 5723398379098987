"""C2PA manifests (C2PA 2.2 §8, §18.15): what a signed picture says of its making."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from imagegate.domain.pictures.xmp import Origin

ORIGINAL = "original"
"""Name of the ingredient that is the upstream's own file, inside of the manifest."""


def build_manifest(origin: Origin, content_type: str, *, converted: bool, from_signed: bool) -> Mapping[str, Any]:
    """The definition of a picture's manifest.

    `converted`: it is not in the format that the upstream made. `from_signed`: the upstream's file was signed, and is
    the ingredient ORIGINAL, which says how it was made.
    """
    generator, _, version = origin.generator.partition(" ")
    first = _build_opened() if from_signed else _created(origin)
    actions = [first, *([_converted(origin)] if converted else [])]
    return {
        "claim_generator_info": [{"name": generator, "version": version}],
        "format": content_type,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }


def build_ingredient(content_type: str) -> Mapping[str, str]:
    """The definition of the ingredient ORIGINAL."""
    return {"title": ORIGINAL, "label": ORIGINAL, "format": content_type, "relationship": "parentOf"}


def _created(origin: Origin) -> Mapping[str, Any]:
    return {
        "action": "c2pa.created",
        "when": datetime.fromtimestamp(origin.made_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "digitalSourceType": origin.digital_source_type,
        "softwareAgent": {"name": f"{origin.model} ({origin.provider})"},
    }


def _build_opened() -> Mapping[str, Any]:
    return {"action": "c2pa.opened", "parameters": {"ingredientIds": [ORIGINAL]}}


def _converted(origin: Origin) -> Mapping[str, Any]:
    return {"action": "c2pa.converted", "softwareAgent": {"name": origin.generator}}
