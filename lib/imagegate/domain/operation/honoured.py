"""Which fields of a request a finished picture does not show."""

from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.request import ImageRequest

TOLERANCE = 0.02
"""Share by which a side or the aspect ratio may differ without a report."""


def unmet(request: ImageRequest, width: int, height: int, *, transparent: bool) -> tuple[str, ...]:
    """The fields of `request` that a picture of that size does not show; sides of 0 are not known."""
    found = list[str]()
    if request.size and width and height:
        size = request.size
        if (
            _differ(width, size.width)
            or _differ(height, size.height)
            or _differ(width * size.height, height * size.width)
        ):
            found.append("size")
    elif request.ratio and width and height and _differ(width * request.ratio[1], height * request.ratio[0]):
        found.append("aspect_ratio")
    if request.background == "transparent" and not transparent:
        found.append("background")
    return tuple(found)


def not_honoured(operation: Operation, picture: Picture) -> tuple[str, ...]:
    """The fields of the request that the picture does not show: `seed` where another seed gave the same picture."""
    alike = [
        other for other in operation.pictures if other.source_sha256 and other.source_sha256 == picture.source_sha256
    ]
    seeds = {other.seed for other in alike} - {None}
    same = picture.seed is not None and len(seeds) > 1
    return (*picture.not_honoured, "seed") if same else picture.not_honoured


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > TOLERANCE * other
