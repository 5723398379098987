"""Who compresses a picture: the upstream, or imagegate from the upstream's best format."""

from dataclasses import replace

import pytest

from imagegate.domain.request.capabilities import with_best_format
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest

LIMITS = Limits(completion=CompletionMode.SYNC, grid=Grid(64, 2048, 8), prompt_characters=1000)


@pytest.mark.parametrize(
    ("compression", "compresses", "sent"),
    [(50, True, ("jpeg", 50)), (50, False, ("png", None)), (0, False, ("png", None))]
    + [(compression, compresses, ("jpeg", compression)) for compression in (None, 100) for compresses in (True, False)],
)
def test_a_picture_is_compressed_once(compression: int | None, compresses: bool, sent: tuple[str, int | None]) -> None:
    request = ImageRequest(model="flux", messages=(), output_format="jpeg", output_compression=compression)
    fitted = with_best_format(request, replace(LIMITS, compresses=compresses))
    assert (fitted.output_format, fitted.output_compression) == sent
