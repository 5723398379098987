"""Which fields of a request an upstream can honour. Pure."""

from dataclasses import replace
from typing import get_args

from imagegate.domain.request.geometry import Size
from imagegate.domain.request.limits import Demand, Hint, Limits
from imagegate.domain.request.request import ImageRequest

DEMANDS: tuple[Demand, ...] = get_args(Demand)
HINTS: tuple[Hint, ...] = get_args(Hint)
_NEUTRAL_VALUES = {"quality": ("auto", "standard"), "background": ("auto", "opaque"), "moderation": ("auto",)}
"""Values that ask for nothing in particular."""
_SAME_RATIO = 1.02
"""Deviation of the aspect ratio that is not reported."""


def unsupported(request: ImageRequest, limits: Limits) -> list[str]:
    """Fields that the upstream cannot honour and that must not be ignored."""
    found = [] if request.lenient else _unmet_demands(request, limits)
    if request.steps and limits.steps_maximum and request.steps > limits.steps_maximum:
        found.append("steps")
    if limits.prompt_length(request) > limits.prompt_characters:
        found.append("prompt")
    if request.inputs and not limits.works_from(len(request.inputs), prompted=bool(request.prompt.strip())):
        found.append("image")
    if request.mask and not limits.supports_masks:
        found.append("mask")
    if request.background == "transparent" and "background" not in limits.capabilities:
        found.append("background")
    return found


def ignored(request: ImageRequest, limits: Limits) -> tuple[str, ...]:
    """Fields that the upstream ignores or only approximates; the answer names them."""
    wished = [name for name in HINTS if getattr(request, name) not in (None, *_NEUTRAL_VALUES.get(name, ()))]
    ignored_fields: list[str] = [name for name in wished if name not in limits.capabilities]
    if request.size and limits.size_for(request) != request.size:
        ignored_fields.append("size")
    if request.ratio and _has_other_ratio(limits.size_for(request), request.ratio):
        ignored_fields.append("aspect_ratio")
    # A seed beyond the upstream's range is brought into it, for one of the pictures at least.
    if "seed" in limits.capabilities and (request.seed or 0) + request.n - 1 > limits.seed_maximum:
        ignored_fields.append("seed")
    found = (*ignored_fields, *_unmet_demands(request, limits), *_ignored_weights(request, limits))
    return tuple(dict.fromkeys((*found, *request.unused_fields)))


def with_negative_prompt(request: ImageRequest, limits: Limits) -> ImageRequest:
    """The request with messages of negative weight in the negative prompt, for upstreams that have no weights."""
    if limits.supports_weights or not request.text_to_avoid or "negative_prompt" not in limits.capabilities:
        return request
    negative = "\n".join(text for text in (request.negative_prompt, request.text_to_avoid) if text)
    return replace(request, negative_prompt=negative)


def with_best_format(request: ImageRequest, limits: Limits) -> ImageRequest:
    """The request for PNG where imagegate has to compress: what the upstream compressed would lose twice."""
    compressed_here = request.output_compression not in (None, 100) and not limits.compresses
    return replace(request, output_format="png", output_compression=None) if compressed_here else request


def _has_other_ratio(size: Size, ratio: tuple[int, int]) -> bool:
    """True when the aspect ratio of the size visibly differs from `ratio`."""
    stretch = size.width * ratio[1] / (size.height * ratio[0])
    return not 1 / _SAME_RATIO < stretch < _SAME_RATIO


def _unmet_demands(request: ImageRequest, limits: Limits) -> list[str]:
    return [name for name in DEMANDS if getattr(request, name) is not None and name not in limits.capabilities]


def _ignored_weights(request: ImageRequest, limits: Limits) -> list[str]:
    """`weight` when it only orders the messages, `negative_weight` when messages to avoid are left out."""
    if limits.supports_weights:
        return []
    weighty = len({message.weight for message in request.messages if message.weight > 0}) > 1
    left_out = request.text_to_avoid and "negative_prompt" not in limits.capabilities
    return ["weight"] * weighty + ["negative_weight"] * bool(left_out)
