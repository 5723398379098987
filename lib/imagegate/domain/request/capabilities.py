"""What of a request an upstream can honour. Pure."""

from dataclasses import replace

from imagegate.domain.request.geometry import Size
from imagegate.domain.request.limits import Limits
from imagegate.domain.request.request import ImageRequest

_DEMANDS = ("seed", "steps", "guidance", "negative_prompt")
"""Fields that change the picture: whoever cannot honour them is not asked."""
_HINTS = ("quality", "style", "background", "moderation", "complexity", "input_fidelity")
"""Fields that are reported when they could not be honoured."""
_NO_WISH = {"quality": {"auto", "standard"}, "background": {"auto", "opaque"}, "moderation": {"auto"}}
"""Values that ask for nothing in particular."""
_SAME_SHAPE = 1.05
"""How far a shape may be off without a word: what a grid of 64 pixels does to a megapixel (1472x704 for 2 to 1)."""


def misfits(request: ImageRequest, limits: Limits) -> list[str]:
    """Fields that the upstream cannot honour and that must not be passed over."""
    found = [] if request.lenient else _unmet(request, limits)
    if request.steps and limits.steps_maximum and request.steps > limits.steps_maximum:
        found.append("steps")
    if limits.prompt_length(request) > limits.prompt_characters:
        found.append("prompt")
    if request.inputs and not limits.works_from(len(request.inputs), prompted=bool(request.prompt.strip())):
        found.append("image")
    if request.background == "transparent" and "background" not in limits.honours:
        found.append("background")
    return found


def not_honoured(request: ImageRequest, limits: Limits) -> tuple[str, ...]:
    """Fields that the upstream passes over or only comes near to; the answer names them."""
    wished = [name for name in _HINTS if getattr(request, name) not in ({None} | _NO_WISH.get(name, set()))]
    passed_over = [name for name in wished if name not in limits.honours]
    if request.size and limits.size_for(request) != request.size:
        passed_over.append("size")
    if request.ratio and _unlike(limits.size_for(request), request.ratio):
        passed_over.append("aspect_ratio")
    if _wraps(request, limits):
        passed_over.append("seed")
    return (*passed_over, *_unmet(request, limits), *_unweighed(request, limits))


def worded(request: ImageRequest, limits: Limits) -> ImageRequest:
    """The request with its messages to avoid in the negative prompt, for an upstream that has one and no weights."""
    if limits.weighs or not request.avoided or "negative_prompt" not in limits.honours:
        return request
    negative = "\n".join(text for text in (request.negative_prompt, request.avoided) if text)
    return replace(request, negative_prompt=negative)


def _unlike(size: Size, ratio: tuple[int, int]) -> bool:
    """True when a picture of that size would show that its shape is not the one asked for."""
    stretch = size.width * ratio[1] / (size.height * ratio[0])
    return not 1 / _SAME_SHAPE < stretch < _SAME_SHAPE


def _wraps(request: ImageRequest, limits: Limits) -> bool:
    """True when the seed of one of the pictures is beyond the upstream's range, which it is then brought into."""
    return "seed" in limits.honours and (request.seed or 0) + request.n - 1 > limits.seed_maximum


def _unmet(request: ImageRequest, limits: Limits) -> list[str]:
    return [name for name in _DEMANDS if getattr(request, name) is not None and name not in limits.honours]


def _unweighed(request: ImageRequest, limits: Limits) -> list[str]:
    """`weight` when messages are only put in order of it, `negative_weight` when what to avoid is left out."""
    if limits.weighs:
        return []
    weighty = len({one.weight for one in request.messages if one.weight > 0}) > 1
    left_out = request.avoided and "negative_prompt" not in limits.honours
    return ["weight"] * weighty + ["negative_weight"] * bool(left_out)
